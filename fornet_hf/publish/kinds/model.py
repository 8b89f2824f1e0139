"""Weights that become a model repository, with a card made of what their files say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.publish.contents import Content, refuse_tokens
from fornet_hf.publish.kinds.cards import (
    TERMS,
    card,
    citation,
    files_table,
    left_out,
    section,
    settings_table,
    table,
)
from fornet_hf.publish.kinds.kind import Maker, Publication
from fornet_hf.publish.kinds.weights import ADAPTER, RECORDS, Weights, find_weights
from fornet_hf.release.verify import CARD, card_header

_FOLDER = "model_index"  # in which `fornet evaluate` writes the headers of cards
_ID = re.compile(r"[\w.-]+/[\w.-]+")
NONE, PRETRAINED = "none", "pretrained"  # in the records of examples/train.py
_MOST = 40  # lines of results on the page; the header has all of them


@dataclass(frozen=True, kw_only=True)
class ModelMaker(Maker):
    """Weights to be published.

    Attributes:
        folder: of the weights, or their file.
        repository: which they are published to.
        base: id on the Hub or name of the model that they were made from; None: as the folder says.
        license: of the weights, as the Hub calls it; None: the terms of what they were trained on.
        results: header of a card that `fornet evaluate` wrote; None: that in the folder, if there is one.
        token: the token in use, which no file may hold.
    """

    folder: Path
    repository: str
    base: str | None = None
    license: str | None = None
    results: Path | None = None
    token: str | None = None

    def given(self) -> Mapping[str, Content]:
        """Return the files of weights and their descriptions, by path; raises as `made`."""
        # What a run of examples/train.py was given names folders of this machine, and the Hub takes it for its own.
        return {path: of for path, of in self._weights.files.items() if path not in RECORDS}

    def made(self) -> Publication:
        """Return the weights with their card.

        Raises:
            NotFoundError: there are no weights, or no such header with results.
            ConfigurationError: a description cannot be read, a file holds a token, or the weights are a pickle.
            IntegrityError: a file of weights is damaged.
        """
        given, text = self.given(), self._card()
        headers = {path: header.raw for path, header in self._weights.headers.items()}  # the rest are numbers
        refuse_tokens({**given, CARD: text, **headers}, self.token)
        said = left_out(self._weights.left)
        if self._weights.form is ADAPTER and (own := self._weights.facts.get("base")):
            said.append(f"it was tuned on {own}, which its users need, too; publish that beside it")
        return Publication(files={**given, CARD: text}, card=text, said=said)

    @cached_property
    def _weights(self) -> Weights:
        return find_weights(self.folder)

    def _card(self) -> bytes:
        weights, index = self._weights, self._index()
        facts = weights.facts
        base = self.base or _base_of(facts)
        terms = {} if self.license else {"license_name": "terms-of-the-training-data", "license_link": TERMS}
        header = {
            "license": self.license or "other",
            **terms,
            "base_model": base if base and _ID.fullmatch(base) else None,
            "pipeline_tag": weights.form.task,
            "tags": ["fornet", *weights.form.tags],
            "model-index": index,
        }
        sizes = {path: f"{one.parameters:,} numbers, {', '.join(one.types)}" for path, one in weights.headers.items()}
        use = weights.form.use.format(repository=self.repository, base=_evaluated(self.base or facts.get("model")))
        parts = (
            f"# {self.repository.rpartition('/')[2]}",
            weights.form.sentence,
            f"It was made from `{base}`." if base else "",
            section("Use it", use),
            section("Results", _results(index)),
            section("Settings and figures of the training", settings_table(facts)),
            section("Files", files_table(self.given(), sizes)),
            section("Licence and data", self._terms(base)),
            citation(),
        )
        return card(header, parts)

    def _terms(self, base: str | None) -> str:
        own = "The terms of what these weights were trained on apply; no other licence is stated."
        if self.license:
            own = f"The weights are under the licence `{self.license}`."
        theirs = f" They build on `{base}`, under its own licence." if base else ""
        return (
            f"{own}{theirs}\n\n"
            "This repository holds no images. If these weights or those that they build on have seen\n"
            f"ImageNet, its [terms of access]({TERMS}) govern the images: research and education, not commerce, and\n"
            "no passing on. Weights learn the biases of their data, such as those towards backgrounds."
        )

    def _index(self) -> Any:
        """Return the `model-index` of `fornet evaluate`; None: there is none.

        Raises:
            NotFoundError, ConfigurationError: as `made`.
        """
        path = self.results
        if path is None and self.folder.is_dir():
            found = sorted(self.folder.rglob(f"{_FOLDER}/*.md"))
            if len(found) > 1:
                what, then = f"{self.folder}: results of several models", "Say whose: --model-index FILE"
                raise ConfigurationError(explain(what, found=", ".join(one.name for one in found), then=then))
            path = found[0] if found else None
        if path is None:
            return None
        if not path.is_file():
            then = f"`fornet evaluate` writes {_FOLDER}/MODEL.md into its folder."
            raise NotFoundError(explain("the header with results is missing", found=f"no file {path}", then=then))
        return card_header(path.read_text(encoding="utf-8"), path).get("model-index")


def _base_of(facts: Mapping[str, Any]) -> str | None:
    """Return the model whose weights a training began with, as its files say; None: it began with random ones."""
    trained, network = facts.get("trained"), facts.get("network")
    if isinstance(trained, Mapping) and isinstance(network, Mapping):
        return str(network.get("encoder")) if trained.get("encoder_weights") else None
    weights = facts.get("weights") or (PRETRAINED if facts.get("tune", NONE) != NONE else None)
    if weights is None:
        return None
    return str(facts.get("model")) if weights == PRETRAINED else Path(str(weights)).name


def _evaluated(model: str | None) -> str:
    """Return the name by which `fornet evaluate` knows a model: an id of the Hub is timm's, or of transformers."""
    if model is None or not _ID.fullmatch(model):
        return model or "timm:NAME"
    owner, _, name = model.partition("/")
    return f"timm:{name}" if owner == "timm" else f"hf:{model}"


def _results(index: Any) -> str:
    """Return the results of a `model-index` as a table, without those of single parts."""
    rows = []
    for model in index if isinstance(index, list) else ():
        for result in model.get("results", ()):
            data = result.get("dataset", {})
            for metric in result.get("metrics", ()):
                low, high = (metric.get("args") or {}).get("interval_95", (None, None))
                interval = "" if low is None else f"{low:.4g} to {high:.4g}"
                rows.append((metric["name"], f"{metric['value']:.4g}", interval, data.get("name"), data.get("split")))
    return table(("measure", "value", "95 %", "data", "split"), rows[:_MOST])
