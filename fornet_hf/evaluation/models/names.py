"""Names of classifiers."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from fornet_hf.errors import ConfigurationError, explain

FORMS = (
    "timm:NAME, torchvision:NAME[@WEIGHTS], hf:NAMESPACE/NAME[@REVISION], torchhub:OWNER/REPO:REF/NAME or "
    "package.module:function, each also with =CHECKPOINT"
)
PACKAGES = {"timm": "timm", "torchvision": "torchvision", "hf": "transformers torchvision", "torchhub": "torch"}
"""The libraries, and what pip installs for each."""

_OWN = "A module of your own must be in this folder, installed, or in a folder of PYTHONPATH."


class ModelName(NamedTuple):
    """A name, taken apart.

    Attributes:
        library: a key of `PACKAGES`; empty: a function of one's own.
        model: in the library; of a function of one's own `package.module:function`.
        checkpoint: file or folder with other weights than the library's; None: the library's.
    """

    library: str
    model: str
    checkpoint: Path | None = None


def parse_name(name: str) -> ModelName:
    """Take a name apart, at its first colon and its last equals sign.

    Raises:
        ConfigurationError: the name has none of the `FORMS`, or its package is not there.
    """
    library, _, rest = name.partition(":")
    model, equals, file = rest.rpartition("=") if "=" in rest else (rest, "", "")
    checkpoint = Path(file).expanduser() if file else None
    if library in PACKAGES and model and bool(equals) == bool(file):
        return ModelName(library, model, checkpoint)
    package = library.partition(".")[0]
    if not model or bool(equals) != bool(file) or not package.isidentifier() or find_spec(package) is None:
        then = _OWN if rest else f"Did you mean timm:{name}, or torchvision:{name}?"
        raise ConfigurationError(explain("unknown classifier", found=name, allowed=FORMS, then=then))
    return ModelName("", f"{library}:{model}", checkpoint)
