"""Differences of the kernel that samples from the module in transformers; a script for Triton's interpreter."""

import json

import torch

from tests.torchvision_shim import import_torchvision

CASES = {
    "as in the model": (2, [(9, 12), (5, 6), (3, 3), (2, 1)], 70, 4, 4, 32, torch.float32),
    "odd numbers": (1, [(4, 7), (3, 2)], 5, 3, 3, 24, torch.float32),
    "one map": (3, [(6, 5)], 33, 1, 1, 16, torch.float32),
    "half precision": (2, [(9, 12), (5, 6)], 40, 2, 4, 32, torch.bfloat16),
}


def differences(name, device="cpu"):
    """The greatest difference, divided by the greatest value."""
    from transformers.models.grounding_dino.modeling_grounding_dino import MultiScaleDeformableAttention

    from producers.detect.sampling_kernel import sampled

    count, sides, queries, heads, points, channels, dtype = CASES[name]
    chance = torch.Generator().manual_seed(1)
    shapes = torch.tensor(sides)
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), shapes.prod(1).cumsum(0)[:-1]])
    value = torch.randn(count, int(shapes.prod(1).sum()), heads, channels, generator=chance).to(dtype)
    value[:, 3:5] = 0  # as padding is
    locations = torch.rand(count, queries, heads, len(sides), points, 2, generator=chance) * 1.6 - 0.3
    locations[0, 0] = torch.tensor([0.0, 1.0])
    locations[0, 1] = 1e30
    weights = torch.rand(count, queries, heads, len(sides), points, generator=chance)
    tensors = [tensor.to(device) for tensor in (value, shapes, starts, locations, weights)]
    found = sampled(*tensors)
    assert found.dtype == dtype
    rest = (sides, starts, locations, weights, 64)
    expected = MultiScaleDeformableAttention()(value.float(), shapes, *rest)
    return float((found.cpu().float() - expected).abs().max() / expected.abs().max())


if __name__ == "__main__":
    import_torchvision()
    print(json.dumps({name: differences(name) for name in CASES}))
