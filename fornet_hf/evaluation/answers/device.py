"""The device that classifiers compute on: its choice, its precision, and its memory."""

from __future__ import annotations

import contextlib
import inspect
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from fornet_hf.errors import ConfigurationError, explain

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

_OUT_OF_MEMORY = (  # in small letters
    *("out of memory", "not enough memory", "can't allocate memory"),
    *("alloc_failed", "allocation_failed"),  # of cuBLAS and cuDNN
)


def chosen_device(name: str | None) -> torch.device:
    """Return the device of this name; None: a GPU if there is one. Processes of torchrun have a GPU each.

    Raises:
        ConfigurationError: torch has no such device.
    """
    import torch

    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type != "cpu" and ":" not in name and "LOCAL_RANK" in os.environ:
            device = torch.device(device.type, int(os.environ["LOCAL_RANK"]))
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch says "not compiled with" by an assertion
        reason = str(error).partition("\n")[0]
        message = explain(f"the device {name} cannot be used", found=reason, allowed="cpu, cuda, cuda:1, ...")
        raise ConfigurationError(message) from error
    return device


@contextlib.contextmanager
def computing(device: torch.device, precision: str) -> Iterator[None]:
    """Let networks answer meanwhile: without gradients, in this precision, and in no lower one behind one's back.

    "float32" is exactly that, also in convolutions, which torch by default leaves to TF32 on recent GPUs. "bfloat16"
    is torch's autocast: weights stay float32. What a network keeps of an answer may later be used with gradients.
    """
    import torch

    convolutions: Any = torch.backends.cudnn.flags
    exact: dict[str, Any] = {"enabled": torch.backends.cudnn.enabled, "allow_tf32": False, "deterministic": True}
    if "fp32_precision" in inspect.signature(convolutions).parameters:  # from torch 2.9 on
        exact["fp32_precision"] = "ieee"
    products: str | None = None
    with contextlib.suppress(RuntimeError):  # it was set in the other of the two ways that torch has
        products = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    lower = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
    # The current device is where kernels of other packages run.
    current = torch.cuda.device(device) if device.type == "cuda" else contextlib.nullcontext()
    try:
        with torch.no_grad(), convolutions(**exact), lower, current:
            yield
    finally:
        if products is not None:
            torch.set_float32_matmul_precision(products)


@contextlib.contextmanager
def on_device(networks: Sequence[Any], device: torch.device) -> Iterator[None]:
    """Have networks on a device and in evaluation meanwhile; what is no network of torch stays as it is."""
    import torch

    modules = [network for network in networks if isinstance(network, torch.nn.Module)]
    homes = [(module, _home(module)) for module in modules]
    modes = [(part, part.training) for module in modules for part in module.modules()]
    try:
        for module in modules:
            module.to(device).eval()
        yield
    finally:
        for module, home in homes:
            if home is not None:
                module.to(home)
        for part, training in modes:
            part.training = training


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out: torch's own, Python's, or one of an accelerator's library."""
    import torch

    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _OUT_OF_MEMORY)


class Fitting:
    """Number of images that fit a device together, found out by trying.

    Attributes:
        size: that number, so far as is known.
    """

    def __init__(self, size: int, device: torch.device, name: str) -> None:
        self.size, self._device, self._name = size, device, name

    def each(self, count: int, compute: Callable[[slice], T]) -> list[T]:
        """Compute slices of so many images, which are halved as long as memory runs out; return all that was made.

        A warning says how many fit, and whose images they are.
        """
        asked = self.size
        made: list[T] = []
        start = 0
        while start < count:
            try:
                made.append(compute(slice(start, start + self.size)))
            except Exception as error:
                if self.size == 1 or not out_of_memory(error):
                    raise
            else:
                start += self.size
                continue
            free_cached(self._device)  # here the frames that hold tensors are gone
            self.size = (min(self.size, count) + 1) // 2
        if self.size != asked:
            found = f"the memory of {self._device} does not hold {asked} images"
            warnings.warn(explain(f"{self._name}: batches of {self.size}", found=found), stacklevel=2)
        return made


def free_cached(device: torch.device) -> None:
    """Give back the memory that torch keeps on an accelerator for later."""
    import torch

    library: Any = getattr(torch, device.type, None)
    if hasattr(library, "empty_cache"):
        library.empty_cache()


def _home(module: torch.nn.Module) -> torch.device | None:
    return next((tensor.device for tensor in (*module.parameters(), *module.buffers())), None)
