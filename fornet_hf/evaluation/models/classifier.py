"""A pretrained classifier: what it is shown, what it answers, and which weights it has."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fornet_hf.errors import ConfigurationError, ForNetError, explain
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.tensors import digest

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Identity:
    """The name of a classifier, the revision of its weights, and their digest.

    Attributes: `digest` has 64 hexadecimal digits; it is empty if the network has no weights that torch knows of.
    """

    name: str
    revision: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """A pretrained classifier.

    Attributes:
        name: as it was asked for.
        revision: of its weights.
        network: maps normalised images (float32, n x 3 x size x size) to logits (n x classes), or to something that
            has them as `logits`, as the networks of transformers do.
        preprocessing: of images that it is shown.
        names: of its outputs, if it has names for them.
    """

    name: str
    revision: str
    network: Any
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    names: tuple[str, ...] = ()

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits (float32, n x classes) of images (float32, n x 3 x height x width, 0 to 1).

        Images of another size than the classifier's are squashed to it.

        Raises:
            ConfigurationError: the network gives something else.
        """
        import torch
        from torch.nn import functional

        side = self.preprocessing.size
        if images.shape[-2:] != (side, side):
            images = functional.interpolate(images, (side, side), mode="bicubic", antialias=True)
        colours = (self.preprocessing.mean, self.preprocessing.std)
        # filled on the device: numbers copied to it would wait for the batch before
        mean, std = (torch.cat([images.new_full((1, 1, 1), value) for value in values]) for values in colours)
        answer = self.network((images - mean).div_(std))
        logits = getattr(answer, "logits", answer)
        if not isinstance(logits, torch.Tensor) or logits.ndim != 2 or len(logits) != len(images):
            found = f"{type(logits).__name__} {tuple(getattr(logits, 'shape', ())) or ''}".strip()
            allowed = f"a tensor of {len(images)} x classes, or an output that has it as .logits"
            then = "Wrap the network in a module whose forward() returns the logits alone."
            raise ConfigurationError(
                explain(f"{self.name} does not answer with logits", found=found, allowed=allowed, then=then)
            )
        return logits.float()

    def failure(self, error: Exception, images: int) -> ConfigurationError:
        """Return the error of a network that fails at so many images."""
        side, found = self.preprocessing.size, f"{type(error).__name__}: {error}"
        then = f"It was given float32, {images} x 3 x {side} x {side}: look at its preprocessing and its forward()."
        return ConfigurationError(explain(f"{self.name} cannot answer images", found=found, then=then))

    @property
    def outputs(self) -> int:
        """Number of its outputs, as it answers a black image in evaluation mode.

        Raises:
            ConfigurationError: it fails, or does not answer with logits.
        """
        import torch

        modules = list(self.network.modules()) if hasattr(self.network, "modules") else []
        modes = [module.training for module in modules]
        weights = next(self.network.parameters(), None) if hasattr(self.network, "parameters") else None
        side = self.preprocessing.size
        image = torch.zeros(1, 3, side, side, device=None if weights is None else weights.device)
        try:
            for module in modules:
                module.training = False  # else the image would count in statistics of batches
            with torch.no_grad():
                return int(self.logits(image).shape[1])
        except ForNetError:
            raise
        except Exception as error:  # of anybody's code
            raise self.failure(error, 1) from error
        finally:
            for module, mode in zip(modules, modes, strict=True):
                module.training = mode

    @property
    def identity(self) -> Identity:
        """Name, revision and digest of the weights as they are now, which say in a result what was measured."""
        return Identity(self.name, self.revision, weights_digest(self.network))


def weights_digest(network: Any) -> str:
    """Return the SHA-256 of a network's weights: of name, dtype, shape and bytes of each tensor, sorted by name.

    It does not depend on the file that they come from. Empty if there are no weights, so that nothing names them.
    """
    return digest(network.state_dict()) if hasattr(network, "state_dict") else ""


def in_float32(network: Any) -> Any:
    """Return a network whose weights are float32: itself, or a copy where they are of another precision."""
    import torch

    tensors = (*network.parameters(), *network.buffers()) if isinstance(network, torch.nn.Module) else ()
    if all(tensor.dtype == torch.float32 for tensor in tensors if tensor.is_floating_point()):
        return network
    return copy.deepcopy(network).float()
