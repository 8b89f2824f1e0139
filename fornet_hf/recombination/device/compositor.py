"""`Compositor`: images from a batch of deferred ones, on whatever device the batch is on. No loop over images."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from fornet_hf.errors import ConfigurationError, MissingDependencyError, explain
from fornet_hf.packages import needing
from fornet_hf.recombination.device import products
from fornet_hf.recombination.device.batch import Batch, check_batch
from fornet_hf.recombination.device.form import Form
from fornet_hf.recombination.device.jpegs import PILLOW, check_decoder, decoder_for, with_decoded


class Composed(NamedTuple):
    """A batch of composed images.

    Attributes:
        images: as `Compositor` says.
        labels: of the batch.
        masks: uint8, images x 1 x height x width, 0 to 255: what was pasted, or the object of an original image;
            None if `return_fg_masks` was not asked for.
        columns: the examples' further columns by name: "composition" with `return_composition`, those of `keep`.
    """

    images: Tensor
    labels: Any
    masks: Tensor | None
    columns: dict[str, Any]


class Compositor(nn.Module):
    """Composes batches of `Recombine(ds, defer=...)`: `images, labels = compositor(batch.to(device))`.

    On a GPU it runs three Triton kernels (Triton comes with torch), else products of matrices by torch alone. The
    images are those of `Recombine` on the CPU, of the same compositions:

    - `defer="pixels"`: at most 1 level of 255 away where nothing is scaled, else 2; in the mean .003 with the kernels
      and .06 with a GPU's products, which are of half precision (measured on an H100). Autocast and TF32 change
      nothing, and runs repeat bit for bit.
    - `defer="jpeg"` on a GPU: .31 levels in the mean, 7 in the 99.9th percentile, 22 at most (measured there, with
      `crop=224`). GPUs repeat the chroma of 4:2:0 where the CPU's decoder interpolates it; and the CPU's decodes at
      half the size or less what is shrunk by half or more, which shows in small outputs, at the edges of objects.

    It has neither parameters nor buffers: nothing to save, to move or to synchronise.

    Args:
        mean: of each channel, 0 to 1.
        std: of each channel, above 0 to 1.
        dtype: of the images: torch.float32, float16, bfloat16; or uint8: 0 to 255, without mean and std.
        memory_format: of the images: torch.contiguous_format or torch.channels_last.
        kernels: None: Triton's where they run, else torch's products; True: Triton's or an error; False: never.
        decoder: of JPEGs: "torchcodec", "torchvision" or "pillow"; None: the first that the device can use.

    Returns: images of 3 x height x width, (level / 255 - mean) / std; and labels.

    Raises:
        ConfigurationError: an argument that is not allowed.

    Example:
        >>> import fornet_hf, torch
        >>> ds = fornet_hf.load_dataset(patches="demo/made/patches", imagenet_dir="demo/pictures", split="train")
        >>> ds.set_transform(fornet_hf.Recombine(ds, background_combination="same", crop=96, defer="pixels"))
        >>> batch = fornet_hf.collate([ds[0], ds[1]])
        >>> images, labels = fornet_hf.Compositor(dtype=torch.uint8)(batch.to("cpu"))
        >>> images.shape
        torch.Size([2, 3, 96, 96])
    """

    def __init__(
        self,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
        *,
        dtype: torch.dtype = torch.float32,
        memory_format: torch.memory_format = torch.contiguous_format,
        kernels: bool | None = None,
        decoder: str | None = None,
    ) -> None:
        super().__init__()
        self.form = Form.of(mean, std, dtype, memory_format)
        check_decoder(decoder)
        self.mean, self.std, self.kernels, self.decoder = tuple(mean), tuple(std), kernels, decoder

    def extra_repr(self) -> str:
        """Return what `print` says in the brackets."""
        numbers = f"mean={self.mean}, std={self.std}, dtype={self.form.dtype}"
        return f"{numbers}, memory_format={self.form.memory_format}, kernels={self.kernels}, decoder={self.decoder}"

    def forward(self, batch: Batch) -> tuple[Tensor, Any]:
        """Return images and labels."""
        composed = self.composed(batch)
        return composed.images, composed.labels

    @torch.no_grad()
    def composed(self, batch: Batch) -> Composed:
        """Return images, labels, and what else was asked for.

        Raises:
            ConfigurationError: the examples were not deferred; or kernels=True, and they do not run.
            MissingDependencyError: the batch has JPEGs and is on a GPU for which no decoder is installed; or
                kernels=True, and Triton is not installed.
            SourceError: a JPEG is damaged.
        """
        check_batch(batch)
        with torch.autocast(batch.device.type, enabled=False):
            images, masks = self._painted(with_decoded(batch, self.decoder))
        return Composed(images, batch.labels, masks, batch.columns)

    def backend(self, device: torch.device | str) -> dict[str, str]:
        """Return what composes and what decodes JPEGs on a device: items `compose` and `decode`."""
        device = torch.device(device)
        names = "triton" if self._by_kernels(device) else "torch", self.decoder or decoder_for(device)
        versions = [importlib.import_module("PIL" if name == PILLOW else name).__version__ for name in names]
        return {"compose": f"{names[0]} {versions[0]}", "decode": f"{names[1]} {versions[1]}"}

    def _painted(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        if not self._by_kernels(batch.device):
            return products.painted(batch, self.form)
        try:
            with needing("Compositor(kernels=True)", "triton"):
                from fornet_hf.recombination.device.kernels.painting import painted
            return painted(batch, self.form)
        except torch.cuda.OutOfMemoryError:
            raise
        except Exception as error:  # no compiler, an unknown GPU, ...: whatever it is, products need none of that
            what, found = f"Triton kernels do not run on {batch.device}", f"{type(error).__name__}: {error}"
            if self.kernels and isinstance(error, MissingDependencyError):
                raise
            if self.kernels:
                raise ConfigurationError(explain(what, found=found, then="Leave kernels=True out.")) from error
            self.kernels = False
            then = "So torch composes, at a fifth of their speed; Compositor(kernels=False) is silent."
            warnings.warn(explain(what, found=found, then=then), stacklevel=4)
            return products.painted(batch, self.form)

    def _by_kernels(self, device: torch.device) -> bool:
        if self.kernels is None:
            return device.type == "cuda" and importlib.util.find_spec("triton") is not None
        return self.kernels
