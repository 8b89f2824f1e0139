#!/usr/bin/env python
"""Write the pages that are made from code and results: `python docs/make.py`; the tests see that they are up to date.

api.md         from the docstrings of the public names
parameters.md  from the configuration's dataclasses: default, what validation allows, the docstring's meaning
benchmarks.md  from the results in benchmarks/results
getting_started.md  its table of costs, between two marks, from the same results
scale.md, device.md and README.md  the figures that they state
data.md        its tables of sets and weights, between two marks, from the catalogue of build/download.py
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from pathlib import Path

DOCS = Path(__file__).parent
# Run as a script, it finds the project beside it.
sys.path[:0] = [str(DOCS.parent), str(DOCS.parent / "build"), str(DOCS)]

from api import api_page, items, shown  # noqa: E402
from costs import costs_table  # noqa: E402
from figures import benchmarks_page  # noqa: E402
from fornet_hf.adapters import AdapterConfig  # noqa: E402
from fornet_hf.builder.load import load_dataset  # noqa: E402
from fornet_hf.errors import ConfigurationError  # noqa: E402
from fornet_hf.mixing.methods import CutMixConfig, FMixConfig, MixConfig  # noqa: E402
from fornet_hf.recombination import CropConfig, RecombinationConfig  # noqa: E402
from fornet_hf.recombination.hooks import Hooks  # noqa: E402
from producers.downloads.page import tables  # noqa: E402
from stated import of_device, of_readme, of_scale, with_figures  # noqa: E402

_MADE = "<!-- Made by docs/make.py: edit the code, not this page. -->\n"
_COSTS = "<!-- costs: made by docs/make.py -->\n", "<!-- end of costs -->\n"
_CATALOGUE = "<!-- catalogue: made by docs/make.py -->\n", "<!-- end of catalogue -->\n"


def main() -> None:
    """Write all pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """The pages by the names of their files."""
    stating = ("data.md", "getting_started.md", "scale.md", "device.md", "../README.md")
    now = {name: (DOCS / name).read_text(encoding="utf-8") for name in stating}
    return {
        "api.md": _MADE + api_page(),
        "parameters.md": parameters_page(),
        "benchmarks.md": _MADE + benchmarks_page(DOCS.parent),
        "data.md": between(now["data.md"], _CATALOGUE, f"{tables()}\n"),
        "getting_started.md": between(now["getting_started.md"], _COSTS, f"{costs_table(DOCS.parent)}\n"),
        "scale.md": with_figures(now["scale.md"], of_scale(DOCS.parent)),
        "device.md": with_figures(now["device.md"], of_device(DOCS.parent)),
        "../README.md": with_figures(now["../README.md"], of_readme(DOCS.parent)),
    }


def between(page: str, marks: tuple[str, str], text: str) -> str:
    """Return a page with another text between its marks."""
    before, _, rest = page.partition(marks[0])
    after = rest.partition(marks[1])[2]
    return f"{before}{marks[0]}{text}{marks[1]}{after}"


def parameters_page() -> str:
    """Every parameter of recombination and of loading."""
    return f"""{_MADE}# Parameters

Give these parameters as keywords to `fornet_hf.Recombine(ds, ...)`, to `fornet_hf.load_dataset(...)`, or to
`datasets.load_dataset("TNauen/ForNet", trust_remote_code=True, ...)` of `datasets` 3.6. They are the same everywhere.
ForNet refuses a value that is not allowed, and its message names the allowed ones.

```python
import fornet_hf

ds = fornet_hf.load_dataset(patches="demo/made/patches", imagenet_dir="demo/pictures", split="train")
ds.set_transform(fornet_hf.Recombine(ds, background_combination="same", fg_bates_n=3, crop=224, flip=0.5))
print(ds[0]["image"].size)
```

## Recombination

ForNet draws the object's area from a goal interval and its position from a Bates distribution.

{table(RecombinationConfig)}

## The crop

`crop=224` is short for `crop=CropConfig(size=224)`.

{table(CropConfig)}

In evaluation, the crop equals torchvision's `Resize(256)` and `CenterCrop(224)` of the whole recombined PIL image to
within half a level of 255 on average; set bicubic on both sides if you use it. torchvision treats tensors
differently: `antialias=True` (the default of its v2 transforms) computes the same filters with other roundings (a
level or two); `antialias=False` samples only a few pixels, so images look sharper and accuracy drops; bicubic without
antialias also uses another coefficient (-0.75, not -0.5). Compare accuracies only between inputs of the same kind.

The same seed gives the same image with and without torch loaded, except for rounding: scaled values differ by at most
2 of 255 levels (one in a hundred differs by 1), and a feather doubles that difference on the edge of the object.
OpenCV changes one pixel in ten thousand of the feather, by 1 level; simplejpeg changes none.

## Transforms and outputs

{table(Hooks)}

`fg_transform` is another name for `foreground_transform`. `config=RecombinationConfig(...)` passes all parameters of
the first table as one value. `epochs` is the number of epochs, which schedules of `orig_img_prob` need;
set the epoch with `ds.epoch = e` or `fornet_hf.set_epoch(ds, e)`.

## Mixing

[Mixing](mixing.md) makes one image of two. All methods have these parameters; they are also the NAME=VALUE of
`--mix-options`.

{table(MixConfig)}

`FMix` and `BackgroundMix` have these, too:

{table(FMixConfig)}

and `CutMix` this one:

{table(CutMixConfig)}

## Adapters

`fornet_hf.adapters.tune(network, AdapterConfig(...))` prepares a pretrained classifier for training few of its
parameters.

{table(AdapterConfig)}

## Loading

`fornet_hf.load_dataset` also takes these keywords. The environment variable `MAX_WORKERS` bounds the processes.

{loading_table()}
"""


def table(config: type) -> str:
    """The fields of a dataclass beside those of its bases: name, default, allowed values, meaning."""
    meanings = items(config.__doc__ or "", "Attributes")
    bases = filter(dataclasses.is_dataclass, config.__bases__)
    inherited = {field.name for base in bases for field in dataclasses.fields(base)}
    lines = ["| parameter | default | allowed | meaning |", "|---|---|---|---|"]
    for field in (field for field in dataclasses.fields(config) if field.name not in inherited):
        default = shown(field.default)
        lines.append(f"| `{field.name}` | `{default}` | {allowed(config, field)} | {_cell(meanings[field.name])} |")
    return "\n".join(lines)


def allowed(config: type, field: dataclasses.Field[object]) -> str:
    """What validation says when it refuses a value, be it of a wrong type or a wrong word."""
    words = []
    for wrong in (object(), "?"):
        try:
            config(**{field.name: wrong})
        except ConfigurationError as error:
            words.append(str(error).rpartition("allowed: ")[2].replace(str(2**64 - 1), "2**64 - 1"))
    if not words:
        return "True or False" if isinstance(field.default, bool) else "anything"
    text = ", or ".join(dict.fromkeys(words))
    return f"{text}, or None" if field.default is None and "None" not in text else text


def loading_table() -> str:
    """The keywords of `load_dataset`."""
    meanings = items(load_dataset.__doc__ or "", "Args")
    lines = ["| keyword | default | meaning |", "|---|---|---|"]
    for name, parameter in inspect.signature(load_dataset).parameters.items():
        if name in meanings:
            lines.append(f"| `{name}` | `{shown(parameter.default)}` | {_cell(meanings[name])} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
