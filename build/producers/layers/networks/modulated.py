"""Parts of style-based networks: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN" (CVPR 2020).

Weights are drawn from a unit normal and scaled when they are used ("equalized learning rate": Karras et al., ICLR
2018), so that all of them learn at the same pace.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, conv2d, conv_transpose2d, hardtanh, leaky_relu, pad

_SLOPE, _GAIN = 0.2, math.sqrt(2)  # the gain gives outputs of a unit normal input a second moment near 1


def activated(values: torch.Tensor, clamp: float | None = None) -> torch.Tensor:
    """Return leaky ReLUs of slope 0.2 times the root of 2, clamped to `-clamp .. clamp` if that is given."""
    result = leaky_relu(values, _SLOPE) * _GAIN
    return result if clamp is None else hardtanh(result, -clamp, clamp)  # derived in one pass, unlike `clamp`


def blurred(values: torch.Tensor, before: int, after: int, *, stride: int = 1) -> torch.Tensor:
    """Return features filtered by [1, 3, 3, 1] / 8 along both sides.

    The filter is three times the mean of two neighbours. So it is computed on a GPU, as means keep the layout of
    memory, and merge when they are compiled; on a CPU a convolution by channel takes less time. Both can be derived
    any number of times.

    Args:
        values: n x channels x height x width.
        before: rows and columns of zeros that are put above and at the left first; below 0: they are cut off.
        after: those below and at the right. Height and width change by `before + after - 3`.
        stride: 1, or 2 to keep every other row and column, from the first on.
    """
    values = pad(values, (before, after, before, after))
    if values.device.type != "cpu":
        return means(values, stride)
    return conv2d(values, _kernel(values), stride=stride, groups=values.shape[1])


def means(values: torch.Tensor, stride: int) -> torch.Tensor:
    """Return what `blurred` does without zeros around, by means of two."""
    for _ in range(2):
        values = avg_pool2d(values, 2, stride=1)
    return avg_pool2d(values, 2, stride=stride)


def doubled(values: torch.Tensor) -> torch.Tensor:
    """Return values of twice the sides: zeros between them and around, filtered by [1, 3, 3, 1] / 4.

    Within the image that is bilinear scaling, whose own gradient is not the same twice on a GPU.
    """
    return conv_transpose2d(values, 4 * _kernel(values), stride=2, padding=1, groups=values.shape[1])


def _kernel(values: torch.Tensor) -> torch.Tensor:
    """Return [1, 3, 3, 1] / 8 along both sides, for each channel; made where it is used, so that no GPU waits."""
    ramp = 0.5 - (torch.arange(4, device=values.device, dtype=values.dtype) - 1.5).abs() / 4
    return (ramp[:, None] * ramp).expand(values.shape[1], 1, 4, 4)


class Linear(nn.Module):
    """A fully connected layer whose weights are scaled as they are used.

    Args:
        inputs: numbers in.
        outputs: numbers out.
        bias: that it begins with.
        rate: its learning rate, relative to that of other layers.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.rate, self.gain = rate, rate / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return n x outputs of n x inputs."""
        return nn.functional.linear(values, self.weight * self.gain, self.bias * self.rate)


class Conv(nn.Module):
    """A convolution whose weights are scaled as they are used; sides stay, or are halved after a blur.

    Args:
        channels: in.
        outputs: channels out.
        kernel: 1 or 3.
        down: whether it halves the sides.
        bias: whether it adds one.
    """

    def __init__(
        self, channels: int, outputs: int, kernel: int = 3, *, down: bool = False, bias: bool = True
    ) -> None:
        super().__init__()
        self.kernel, self.down, self.gain = kernel, down, 1 / math.sqrt(channels * kernel**2)
        self.weight = nn.Parameter(torch.randn(outputs, channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return n x outputs x height x width of n x channels x height x width, or of half the sides."""
        weight = self.weight * self.gain
        if not self.down:
            return conv2d(values, weight, self.bias, padding=self.kernel // 2)
        if self.kernel == 1:
            return conv2d(blurred(values, 1, 1, stride=2), weight, self.bias)
        return conv2d(blurred(values, 2, 2), weight, self.bias, stride=2)


class ModulatedConv(nn.Module):
    """A convolution whose weights an image's style scales, by their input; "demodulated", they have norm 1 by output.

    Weight `w[o, i]` becomes `s[i] w[o, i] / norm[o]`, with `norm[o]` the root of the sum of `(s[i] w[o, i])^2` over
    inputs and kernel (formulas 1 and 3 of the paper). As `s` and `norm` do not depend on the place, the same comes of
    scaling the input by `s` and the output by `1 / norm`: so all images share one convolution.

    Args:
        channels: in.
        outputs: channels out.
        style: numbers of a style.
        kernel: 1 or 3.
        up: whether it doubles the sides, with a blur after.
        demodulate: whether the norms are 1; else weights are scaled as in `Conv`.
    """

    def __init__(
        self, channels: int, outputs: int, style: int, kernel: int = 3, *, up: bool = False, demodulate: bool = True
    ) -> None:
        super().__init__()
        self.kernel, self.up, self.demodulate = kernel, up, demodulate
        self.gain = 1 / math.sqrt(channels * kernel**2)
        self.affine = Linear(style, channels, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, channels, kernel, kernel))

    def forward(self, values: torch.Tensor, styles: torch.Tensor) -> torch.Tensor:
        """Return n x outputs x height x width, of twice the sides if `up`.

        Args:
            values: n x channels x height x width.
            styles: float32, n x style; what follows from them is float32 under autocast, too.
        """
        weight = self.weight * self.gain
        with torch.autocast(values.device.type, enabled=False):
            scales = self.affine(styles.float())
            norms = scales.square() @ weight.float().square().sum((2, 3)).T if self.demodulate else None
        result: torch.Tensor = self._convolved(values * scales[:, :, None, None].to(values.dtype), weight)
        if norms is not None:
            result = result * (norms + 1e-8).rsqrt()[:, :, None, None].to(result.dtype)
        return result

    def _convolved(self, values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        if not self.up:
            return conv2d(values, weight, padding=self.kernel // 2)
        spread = conv_transpose2d(values, 4 * weight.transpose(0, 1), stride=2)  # of 4 places, 3 were zeros
        return blurred(spread, 1, 1)
