"""Elements of HTML and SVG; all text is escaped, whoever wrote it."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Iterable
from typing import Literal

from PIL import Image


class Markup(str):
    """Text that is HTML already, and is not escaped again."""

    __slots__ = ()


Node = str | None | Iterable["Node"]

_VOID = {"br", "circle", "col", "img", "line", "meta", "path", "polygon", "polyline", "rect", "wbr"}
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # in XML and UTF-8


def text(content: Node) -> Markup:
    """Return content as HTML: `Markup` as it is, other text escaped, `None` as nothing, others one after another."""
    if isinstance(content, Markup):
        return content
    if content is None:
        return Markup()
    if isinstance(content, str):
        return Markup(html.escape(_FORBIDDEN.sub("\ufffd", content)))
    return Markup("".join(map(text, content)))


def element(name: str, /, *content: Node, **attributes: str | float | bool | None) -> Markup:
    """Return an element, well-formed as XML, too.

    Args:
        name: of the element.
        content: its children.
        attributes: `class_` stands for `class`, an underscore for a hyphen; True: without a value; None and False:
            left away. Fractions are rounded to hundredths.
    """
    given = "".join(
        f' {key.strip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{name}{given}/>" if name in _VOID else f"<{name}{given}>{text(content)}</{name}>")


def _attribute(value: str | float | Literal[True]) -> str:
    if isinstance(value, float):
        return f"{round(value, 2):g}"
    return "" if value is True else text(str(value))


def breakable(name: str) -> list[Node]:
    """Return a name without spaces so that it may be broken after its separators."""
    pieces = re.findall(r"[^-_./:=@]*[-_./:=@]+|[^-_./:=@]+", name)
    return [node for piece in pieces for node in (piece, element("wbr"))][:-1]


def image(shown: Image.Image, alternative: str, *, side: int = 160) -> Markup:
    """Return an image as a JPEG inside of the page, its longer side at most `side` pixels.

    Args:
        shown: any size and mode.
        alternative: says in words what it shows.
        side: pixels.
    """
    small = shown.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82, optimize=True)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return element(
        "img", src=f"data:image/jpeg;base64,{data}", alt=alternative, width=small.width, height=small.height
    )
