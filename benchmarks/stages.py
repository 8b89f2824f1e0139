"""Where the time goes: the same instruments on every side of a comparison.

Functions of Pillow, torch and the library are wrapped by clocks which count exclusive time on the core: what a
function spends in another wrapped one counts there. What no clock sees is "rest": Python between the stages.
"""

from __future__ import annotations

import functools
import importlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

CLOCKED = {  # "module:attribute": stage
    "datasets.arrow_dataset:query_table": "fetch row",
    "datasets.arrow_dataset:format_table": "format row",
    "fornet_hf.recombination.pools.pool:SelectedPool.read": "fetch background",
    "fornet_hf.recombination.recombiner:Recombiner.__call__": "recombine, other",
    "fornet_hf.recombination.recombiner:choose": "draw",
    "fornet_hf.recombination.recombiner:arrange": "draw",
    "fornet_hf.recombination.recombiner:generator": "draw",
    "fornet_hf.recombination.pixels.cutout:Cutout.of_bytes": "measure mask",
    "fornet_hf.format.jpeg:cut": "cut JPEG",
    "fornet_hf.format.jpeg:size_of": "read headers",
    "PIL.Image:open": "read headers",
    "PIL.Image:frombytes": "convert",
    "PIL.Image:Image.frombytes": "decode JPEG",
    "PIL.JpegImagePlugin:JpegImageFile.load": "decode JPEG",
    "PIL.PngImagePlugin:PngImageFile.load": "decode mask",
    "PIL.WebPImagePlugin:WebPImageFile.load": "decode WEBP",
    "PIL.Image:Image.resize": "resize",
    "torch.nn.functional:interpolate": "resize",
    "PIL.Image:Image.filter": "blur",
    "PIL.Image:Image.point": "blur",
    "fornet_hf.recombination.pixels.compositing:feathered": "blur",
    "fornet_hf.recombination.pixels.placing:feathered": "blur",
    "PIL.Image:Image.paste": "paste",
    "PIL.Image:Image.convert": "convert",
    "PIL.Image:Image.copy": "copy and crop",
    "PIL.Image:Image.crop": "copy and crop",
    "PIL.Image:Image.transpose": "flip",
    "torchvision.transforms._functional_tensor:resize": "resize",
    "torchvision.transforms.functional:to_tensor": "to tensor",
    "fornet_hf.recombination.tensors:to_tensor": "to tensor",
    "simplejpeg:decode_jpeg": "decode JPEG",
    "torchvision.transforms.functional:pil_to_tensor": "to tensor",
    "torchvision.transforms.functional:convert_image_dtype": "to tensor",
    "torch.utils.data._utils.collate:default_collate": "collate",
}


class Clocks:
    """Exclusive seconds on the core, by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def clocked(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, timed."""

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._inner.append(0.0)
            start = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                whole = time.process_time() - start
                self.seconds[stage] += whole - self._inner.pop()
                self._inner[-1] += whole

        return timed


@contextmanager
def instrumented() -> Iterator[Clocks]:
    """All of `CLOCKED` that exists, timed until the context ends."""
    clocks = Clocks()
    with ExitStack() as stack:
        for place, stage in CLOCKED.items():
            module, _, path = place.partition(":")
            try:
                owner = functools.reduce(getattr, path.split(".")[:-1], importlib.import_module(module))
                function = getattr(owner, path.split(".")[-1])
            except (ImportError, AttributeError):
                continue  # private names may move; their time then counts as that of the caller
            stack.enter_context(mock.patch.object(owner, path.split(".")[-1], clocks.clocked(stage, function)))
        yield clocks


def breakdown(runs: Mapping[str, Callable[[], Any]], items: int, *, repeats: int = 10) -> dict[str, dict[str, float]]:
    """Mean milliseconds of one item in each stage, for each of `runs`; one call handles `items` items."""
    result = {}
    for name, run in runs.items():
        run()
        with instrumented() as clocks:
            start = time.process_time()
            for _ in range(repeats):
                run()
            whole = time.process_time() - start
        share = 1000 / (items * repeats)
        stages = {stage: seconds * share for stage, seconds in clocks.seconds.items()}
        ordered = sorted(stages.items(), key=lambda stage: -stage[1])
        rest = whole * share - sum(stages.values())
        result[name] = {stage: round(value, 4) for stage, value in [*ordered, ("rest", rest), ("all", whole * share)]}
    return result
