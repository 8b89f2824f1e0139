"""The steps after a training of layers: samples, a segmenter that learns from them, its scores on real images.

Each step is a command of its own, which is printed, goes on where it was, and has its folder in the chain's.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import sample_layers
import segment_truth
import train_segmenter
from fornet_hf.arguments import require
from fornet_hf.evaluation.masks.agreement import compare
from fornet_hf.evaluation.masks.layouts import LAYOUTS, read_truth
from fornet_hf.evaluation.masks.predicted import read_predicted
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.files import write_text
from producers.distil.configuration import asked
from producers.layers.chosen import chosen
from producers.layers.written import IMAGES, MASKS
from producers.segment.networks.files import read_card
from producers.training.noted import note_settings
from producers.work.command import Summary, positive

RESULT = "chain.json"

_COMMANDS: Mapping[str, tuple[ModuleType, Callable[[argparse.Namespace], Summary]]] = MappingProxyType(
    {
        "sample_layers": (sample_layers, sample_layers.sample),
        "train_segmenter": (train_segmenter, train_segmenter.train),
        "segment_truth": (segment_truth, segment_truth.segment_truth),
    }
)

_AS_IT_IS = ("segmenter.close=0", "segmenter.fill=false", "segmenter.least=0")
"""Settings of the U-Net with which its masks are scored as they are, as the paper does."""


def add_chain(parser: argparse.ArgumentParser) -> None:
    """Add the options of the chain."""
    group = parser.add_argument_group("the chain after the training, on one process")
    text = "let samples of the best generator train a segmenter, and score it"
    group.add_argument("--auto", action="store_true", help=text)
    text = "best generator of so many thousands of images at most; default: any"
    group.add_argument("--until-kimg", type=positive, metavar="K", help=text)
    group.add_argument("--n", type=positive, default=10_000, help="samples (%(default)s)")
    pair: dict[str, Any] = {"nargs": 2, "type": Path, "metavar": ("IMAGES", "MASKS")}
    group.add_argument("--truth", help="real images to score it on; default: made ones that were held back", **pair)
    group.add_argument("--layout", choices=LAYOUTS, default="png", help="of the true masks (default: %(default)s)")
    text = "scale true and found masks to a shorter side of so many pixels and count the square in the centre"
    group.add_argument("--crop", type=positive, metavar="PIXELS", help=text)
    text = "value in place of one of the preset `layers` of train_segmenter.py; may be given several times"
    group.add_argument("--unet", action="append", default=[], metavar="NAME=VALUE", help=text)


def check_chain(arguments: argparse.Namespace) -> None:
    """Raise a ConfigurationError, before anything is trained, if the chain could not be done after it."""
    require(arguments.crop is None or arguments.truth is not None, "--crop", arguments.crop, "with --truth")
    if not arguments.auto:
        return
    processes = os.environ.get("WORLD_SIZE", "1")
    require(processes == "1", "--auto with several processes", processes, "1")
    unet = train_segmenter.parser().parse_args(_unet_words(arguments, Path("samples"), Path("unet")))
    asked(unet)
    if arguments.truth is not None:
        read_truth(arguments.truth[1], arguments.layout)


@dataclass(frozen=True)
class Chain:
    """The result of a chain.

    Attributes:
        folder: of its steps.
        generator: file of the one that made the samples.
        made: scores of the segmenter on samples that were held back, by name.
        real: its scores on real images; empty: there were none.
    """

    folder: Path
    generator: Path
    made: dict[str, float]
    real: Sequence[Value] = ()

    def summary(self) -> str:
        """Return a line for each kind of images."""
        lines = ["on samples that were held back: " + _listed(self.made)]
        for part in dict.fromkeys(one.part for one in self.real):
            figures = {one.measure: one.value for one in self.real if one.part == part and one.value is not None}
            lines.append(f"on {self.real[0].n} real images, {part}: {_listed(figures)}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        real = [value.to_json() for value in self.real]
        return {"generator": self.generator.name, "made": self.made, "real": real}


def chain(training: Path, arguments: argparse.Namespace) -> Chain:
    """Do all steps that are left; write what they gave to `chain.json` in the chain's folder.

    Args:
        training: folder of a training that has ended.
        arguments: with the options of `add_chain`, and those named `device` and `precision`.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    generator = chosen(training, arguments.until_kimg)
    folder = training / "auto" / f"{generator.stem}-{arguments.n}"
    samples, unet, found = (folder / name for name in ("samples", "unet", "found"))
    where = ["--device", arguments.device]
    _do("sample_layers", [generator, samples, "--count", arguments.n, *where])
    _do("train_segmenter", _unet_words(arguments, samples, unet))
    segmenter = unet / "segmenter.safetensors"
    made, real = dict(read_card(segmenter).trained["scores"]), list[Value]()
    if arguments.truth is not None:
        images, masks = arguments.truth
        words = ["--layout", arguments.layout, "--segmenter", f"unet={segmenter}", "--prompt", "text"]
        note_settings(found / "truth.json", {"images": str(images.resolve()), "masks": str(masks.resolve())})
        raw = [word for setting in _AS_IT_IS for word in ("--set", setting)]
        _do("segment_truth", [images, masks, found, *words, "--text", "the object.", *raw, *where])
        truth = read_truth(masks, arguments.layout)
        real = compare(read_predicted(found), truth, missing="empty", crop=arguments.crop).values()
    result = Chain(folder, generator, made, real)
    write_text(folder / RESULT, json.dumps(result.to_json(), indent=1) + "\n")
    return result


def _unet_words(arguments: argparse.Namespace, samples: Path, unet: Path) -> list[str]:
    """Return the words of the command that trains the segmenter.

    Raises:
        ConfigurationError: a value in place of the preset's is not like `steps=3000`.
    """
    values = [one.partition("=") for one in arguments.unet]
    require(all(name and equals for name, equals, _ in values), "--unet", arguments.unet, "NAME=VALUE, as steps=3000")
    given = [word for name, _, value in values for word in (f"--{name}", value)]
    pairs = [samples / IMAGES, samples / MASKS, unet]
    machine = ["--device", arguments.device, "--precision", arguments.precision]
    return [*map(str, pairs), "--preset", "layers", *given, *machine]


def _do(name: str, words: Sequence[object]) -> None:
    """Do a command, which is printed, and say how it ended."""
    script, work = _COMMANDS[name]
    texts = [*map(str, words)]
    print(f"python build/{name}.py {shlex.join(texts)}")
    print(work(script.parser().parse_args(texts)).summary())


def _listed(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
