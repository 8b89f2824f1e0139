"""The two prompts that a model was fine-tuned on, kept beside its weights in `concepts.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from huggingface_hub import hf_hub_download

from fornet_hf.arguments import require
from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.files import write_text
from producers.devices.weights import from_hub

FILE = "concepts.json"


@dataclass(frozen=True, kw_only=True)
class Concepts:
    """Two prompts.

    Attributes:
        object: of whole images, such as "a photo of a bird".
        background: of what is around the object.
    """

    object: str
    background: str = "a photo of a background"

    @classmethod
    def of(cls, name: str) -> Concepts:
        """Return the published prompts for an object of this name.

        Raises:
            ConfigurationError: a name without letters.
        """
        require(bool(name.strip(" .")), "the name of an object", name, "words, such as red fox")
        return cls(object=f"a photo of a {name}")

    @classmethod
    def read(cls, model: str, revision: str | None = None) -> Concepts:
        """Return those of a folder, or of a repository on the Hub.

        Raises:
            ConfigurationError: the model was not fine-tuned on two prompts.
            NotFoundError: the repository is out of reach, or lacks the file.
        """
        local = Path(model) / FILE
        what = f"{model} was not fine-tuned on two prompts"
        then = "Fine-tune it by build/finetune_background.py, or give a prompt (infiller.prompt, --prompt)."
        if local.parent.is_dir() and not local.is_file():
            raise ConfigurationError(explain(what, found=f"no {FILE}", then=then))
        try:
            path = local if local.is_file() else Path(from_hub(hf_hub_download, model, revision, filename=FILE))
        except NotFoundError as error:
            found = f"{FILE} neither on the Hub nor in its cache"
            then = f"{then} Where the Hub is out of reach: hf download {model} {FILE}."
            raise NotFoundError(explain(f"{what}, or it is out of reach", found=found, then=then)) from error
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(object=values["object"], background=values["background"])

    def write(self, folder: Path) -> None:
        """Write the file."""
        write_text(folder / FILE, json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")
