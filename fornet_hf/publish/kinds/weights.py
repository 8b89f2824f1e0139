"""The files of weights that this project makes, found in their folders; nothing else of a folder is published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.hub.location import contents
from fornet_hf.publish.kinds.tensors import Header, read_header

RECORDS = ("config.json", "row.json")
"""Records of a run of examples/train.py: settings, and the row of its figures."""

_PICKLES = frozenset({".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy"})
_DOWNLOAD = "hf download {repository} --local-dir weights\n"


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form of weights.

    Attributes:
        sentence: for the card, about what they are.
        use: for the card: commands with `{repository}` and `{base}` in them.
        tags: for the Hub.
        task: that the Hub sorts them under.
        card: key of the metadata under which their file describes itself.
    """

    sentence: str
    use: str
    tags: Sequence[str] = ()
    task: str = "image-classification"
    card: str = ""


SEGMENTER = Form(
    sentence="A network that outlines objects; `build/train_segmenter.py` of ForNet trained it on images and masks.",
    use=f"```bash\n{_DOWNLOAD}python build/segment.py IMAGES RUN --segmenter unet=weights/segmenter.safetensors\n```",
    tags=("image-segmentation",),
    task="image-segmentation",
    card="fornet_segmenter",
)
GENERATOR = Form(
    sentence="A generator of images in layers (background, object and mask), learned without any mask by "
    "`build/train_layers.py` of ForNet.",
    use=f"```bash\n{_DOWNLOAD}python build/sample_layers.py weights/generator.safetensors SAMPLES --count 100\n```",
    tags=("image-segmentation",),
    task="unconditional-image-generation",
    card="fornet_layers",
)
ADAPTER = Form(
    sentence="An adapter for a classifier of images: what differs from its base. ForNet tuned it for robustness "
    "against backgrounds (`examples/train.py --tune`).",
    use=f"```bash\n{_DOWNLOAD}fornet evaluate {{base}}=weights DATA\n```",
    tags=("adapter",),
)
CLASSIFIER = Form(
    sentence="A classifier of images, trained by `examples/train.py` of ForNet.",
    use=f"```bash\n{_DOWNLOAD}fornet evaluate {{base}}=weights/weights.safetensors DATA\n```",
)
_OF_FILES = {card: form for form in (SEGMENTER, GENERATOR) if (card := form.card)}
_NAMES = {SEGMENTER.card: "segmenter", GENERATOR.card: "generator"}


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights in their files.

    Attributes:
        form: of them.
        files: all that is published, by path in the repository.
        headers: of the files of weights, likewise.
        facts: what the files say of themselves: settings and figures.
        left: what is in the folder and stays there.
    """

    form: Form
    files: Mapping[str, Path]
    headers: Mapping[str, Header]
    facts: Mapping[str, Any] = field(default_factory=dict)
    left: Sequence[str] = ()


def find_weights(place: Path) -> Weights:
    """Return the weights in a folder, or in a file of safetensors.

    Raises:
        NotFoundError: there are none.
        ConfigurationError: there are several, they are a pickle, or a description cannot be read.
        IntegrityError: a file is damaged.
    """
    if place.is_file():
        return _of_file(place)
    if not place.is_dir():
        raise NotFoundError(explain("the folder of weights is missing", found=f"no folder {place}"))
    if (place / "adapter.json").is_file() and (place / "adapter.safetensors").is_file():
        return _described(ADAPTER, place, ["adapter.safetensors"], ["adapter.json"])
    if (place / "weights.safetensors").is_file():
        return _described(CLASSIFIER, place, ["weights.safetensors"], RECORDS)
    if (place / "adapter").is_dir():
        return find_weights(place / "adapter")
    found = [path for path in (place, place / "generators") for path in sorted(path.glob("*.safetensors"))]
    if len(found) > 1:
        then = f"Give the file as FOLDER, such as {found[-1]}"
        raise ConfigurationError(explain(f"{place}: several files of weights", found=len(found), then=then))
    if found:
        return _of_file(found[0], _others(place, found))
    _refuse_pickles([path for path in place.iterdir() if path.suffix in _PICKLES])
    allowed = "segmenter.safetensors, generators/*.safetensors, adapter.json, or weights.safetensors"
    raise NotFoundError(explain(f"{place}: no weights", found=contents(place), allowed=allowed))


def _of_file(path: Path, left: Sequence[str] = ()) -> Weights:
    _refuse_pickles([path] if path.suffix in _PICKLES else [])
    header = read_header(path)
    key = next((key for key in header.metadata if key in _OF_FILES), None)
    form, name = (CLASSIFIER, "weights") if key is None else (_OF_FILES[key], _NAMES[key])
    facts = {} if key is None else _object(header.metadata[key], path)
    file = f"{name}.safetensors"
    return Weights(form=form, files={file: path}, headers={file: header}, facts=facts, left=left)


def _described(form: Form, folder: Path, weights: Sequence[str], texts: Sequence[str]) -> Weights:
    paths = [folder / name for name in (*weights, *texts) if (folder / name).is_file()]
    facts: dict[str, Any] = {}
    for name in texts:
        if (folder / name).is_file():
            facts |= _object((folder / name).read_text(encoding="utf-8"), folder / name)
    return Weights(
        form=form,
        files={path.name: path for path in paths},
        headers={name: read_header(folder / name) for name in weights},
        facts=facts,
        left=_others(folder, paths),
    )


def _others(folder: Path, taken: Sequence[Path]) -> list[str]:
    inside = (path for path in sorted(folder.rglob("*")) if path.is_file() and path not in taken)
    return [path.relative_to(folder).as_posix() for path in inside]


def _object(text: str, path: Path) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(explain(f"{path}: not valid JSON", found=error)) from error
    if not isinstance(value, dict):
        raise ConfigurationError(explain(f"{path}: no description of weights", found=text[:40], allowed="an object"))
    return value


def _refuse_pickles(paths: Sequence[Path]) -> None:
    if paths:
        then = (
            "Publish the weights as safetensors: examples/train.py and the trainings of build/ write them at their "
            "end; of your own: safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')."
        )
        what = "pickles are not published: whoever reads one runs what is in it"
        raise ConfigurationError(explain(what, found=", ".join(path.name for path in paths[:3]), then=then))
