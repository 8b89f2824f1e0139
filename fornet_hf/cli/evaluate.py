"""Measure the biases of classifiers: background, centre, size, focus, ImageNet-9.

fornet evaluate timm:resnet50 --data fornet --output results         what fornet apply made, or datasets saved
fornet evaluate timm:resnet50 timm:vit_small_patch16_224 --data TNauen/ForNet --imagenet-dir imagenet -o results
fornet evaluate module:function=weights.pt --data images --measures accuracy -o results    class folders of images
torchrun --nproc_per_node 8 -m fornet_hf evaluate ...                several GPUs

Models: timm:NAME, torchvision:NAME, hf:NAMESPACE/NAME, module:function, torchhub:OWNER/REPO:REF/NAME, each also with
=CHECKPOINT. Run the same command again after whatever ended it: it goes on. results.csv and results.json get the
numbers of a model and measure as they come, report.html is made of all; rows of other models and data stay.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from fornet_hf.cli.common import add_imagenet, add_split, positive, show, show_json, tell, words
from fornet_hf.evaluation.choosing import KINDS
from fornet_hf.evaluation.configuration import CELLS, PRECISIONS, EvaluationConfig
from fornet_hf.evaluation.saliency.configuration import EXPLAINED, METHODS, SaliencyConfig

_DEFAULTS = EvaluationConfig()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add, names = parser.add_argument, ", ".join(KINDS)
    add("models", nargs="+", metavar="MODEL", help="classifiers; they are compared")
    add("--data", required=True, metavar="PLACE", help="rows, patches, variants of ImageNet-9, or class folders")
    add("--measures", type=words, metavar="A,B", help=f"some of {names}; default: all that the data allow")
    add("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where results and report go")
    add_split(parser, "validation")
    add_imagenet(parser, "the images, if the data are patches")
    add("--revision", help="branch, tag or commit of data on the Hub")
    text = (
        "JSON or CSV: the class of the data that each output of the models means; MODEL=FILE, repeated: of that model"
    )
    add("--labels", action="append", default=[], metavar="FILE", help=text)
    add("--trust-remote-code", action="store_true", help="run the code of torchhub's and the Hub's repositories")
    add("--json", action="store_true", help="print all results as JSON")
    group = parser.add_argument_group("settings")
    add = group.add_argument
    add("--seed", type=int, default=_DEFAULTS.seed, help="of draws and resamples (%(default)s)")
    add("--draws", type=positive, default=_DEFAULTS.draws, help="backgrounds for each object (%(default)s)")
    add("--resamples", type=positive, default=_DEFAULTS.resamples, help="of the bootstrap (%(default)s)")
    text = "cells and sizes of what the model sees, or of the whole image as in the public order (%(default)s)"
    add("--cells", choices=CELLS, default=_DEFAULTS.cells, help=text)
    sizes = ",".join(f"{size:g}" for size in _DEFAULTS.sizes)
    add("--sizes", type=_factors, default=_DEFAULTS.sizes, metavar="A,B", help=f"factors on the area ({sizes})")
    add("--batch-size", type=positive, default=_DEFAULTS.batch_size, help="images (%(default)s); halved if need be")
    add("--workers", type=positive, help="processes that make images; default: MAX_WORKERS, or the CPUs")
    add("--precision", choices=PRECISIONS, default=_DEFAULTS.precision, help="%(default)s")
    methods = f"methods of focus, some of {', '.join(METHODS)}; default: all"
    add("--saliency", type=words, dest="methods", metavar="A,B", help=methods)
    add("--saliency-layer", dest="layer", metavar="NAME", help="of class activation maps; default: it is found")
    add("--saliency-steps", type=positive, dest="steps", metavar="N", help="of integrated gradients; default: 50")
    add("--explain", choices=EXPLAINED, dest="explained", help="the class that focus is about; default: label")
    add("--device", help="cpu, cuda, cuda:1, mps; default: a GPU if there is one")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from fornet_hf.evaluation.evaluating import evaluate
    from fornet_hf.evaluation.report.folder import comparisons
    from fornet_hf.evaluation.report.terminal import lines

    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)  # where `python -m` finds modules, too
    names = [field.name for field in dataclasses.fields(EvaluationConfig)]
    config = EvaluationConfig(**{name: getattr(arguments, name) for name in names})
    names = [field.name for field in dataclasses.fields(SaliencyConfig)]
    given = {name: value for name in names if (value := getattr(arguments, name, None)) is not None}
    results = evaluate(
        arguments.models,
        arguments.data,
        arguments.measures,
        config=config,
        saliency=SaliencyConfig(**given) if given else None,
        output=arguments.output,
        split=arguments.split,
        imagenet_dir=arguments.imagenet_dir,
        revision=arguments.revision,
        labels=_labels(arguments.labels, arguments.models),
        trust_remote_code=arguments.trust_remote_code,
        command=shlex.join(["fornet", *sys.argv[1:]]),
    )
    if os.environ.get("RANK", "0") != "0":  # the first of torchrun's processes tells
        return 0
    if arguments.json:
        show_json(results.rows())
    else:
        for line in lines(comparisons(results)):
            show(line)
    tell(f"Look at {arguments.output / 'report.html'}")
    return 0


def _labels(texts: Sequence[str], models: Sequence[str]) -> dict[str, str]:
    """Return the file of each model; the one that names no model is that of all others.

    Raises:
        ConfigurationError: there are two for one model, or none is called so.
    """
    from fornet_hf.errors import ConfigurationError, explain

    files: dict[str, str] = {}
    for text in texts:
        name = max((model for model in models if text.startswith(f"{model}=")), key=len, default="")
        file = text[len(name) + 1 :] if name else text
        if not name and "=" in text and not Path(text).exists():
            raise ConfigurationError(explain("labels of no such model", found=text, allowed=", ".join(models)))
        if name in files:
            raise ConfigurationError(explain("two files of labels for one model", found=text, allowed="one"))
        files[name] = file
    for_others = files.pop("", None)
    return files if for_others is None else dict.fromkeys(models, for_others) | files


def _factors(text: str) -> tuple[float, ...]:
    """Return numbers between commas, for argparse."""
    try:
        return tuple(float(word) for word in words(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers like .5,1,2") from error
