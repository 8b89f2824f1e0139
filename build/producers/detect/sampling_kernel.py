"""A Triton kernel that samples maps of several sizes at the points which queries attend to."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

_QUERIES = 32  # for one block of threads


def sampled(
    value: torch.Tensor,
    shapes: torch.Tensor,
    starts: torch.Tensor,
    locations: torch.Tensor,
    weights: torch.Tensor,
) -> torch.Tensor:
    """Return the weighted sums of what lies at the points, in the type of the maps; sums are made in float32.

    Equation 3 of Zhu et al., "Deformable DETR" (2021), without its projections: pixels are interpolated
    bilinearly, and there are zeros around each map.

    Args:
        value: all maps, one after another: n x pixels x heads x channels.
        shapes: height and width of each map (int64, maps x 2).
        starts: its first pixel among all (int64).
        locations: x and y as fractions of a map's sides: n x queries x heads x maps x points x 2.
        weights: of the points: n x queries x heads x maps x points.

    Returns:
        n x queries x (heads * channels).
    """
    count, pixels, heads, channels = value.shape
    _, queries, _, maps, points, _ = locations.shape
    out = value.new_empty(count, queries, heads * channels)
    grid = (triton.cdiv(queries, _QUERIES) * heads, count)
    tensors = value, shapes, starts, locations, weights
    with torch.cuda.device_of(value):  # type: ignore[no-untyped-call]  # where Triton launches
        sample[grid](
            *(tensor.contiguous() for tensor in tensors), out, queries, pixels,
            heads, channels, triton.next_power_of_2(channels), maps, points, _QUERIES,
        )  # fmt: skip
    return out


@triton.jit(do_not_specialize=["queries", "pixels"])
def sample(
    value, shapes, starts, locations, weights, out, queries, pixels,
    HEADS: tl.constexpr, CHANNELS: tl.constexpr, WIDE: tl.constexpr, MAPS: tl.constexpr, POINTS: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Write one head of a block of queries; `WIDE` is the power of two that holds the channels."""
    head, image = tl.program_id(0) % HEADS, tl.program_id(1).to(tl.int64)
    query = (tl.program_id(0) // HEADS) * BLOCK + tl.arange(0, BLOCK)
    asked = query < queries
    channel = tl.arange(0, WIDE)[None, :]
    row = (image * queries + query) * HEADS + head
    value += (image * pixels * HEADS + head) * CHANNELS
    total = tl.zeros([BLOCK, WIDE], tl.float32)
    for level in range(MAPS):
        height, width = tl.load(shapes + 2 * level), tl.load(shapes + 2 * level + 1)
        first = value + tl.load(starts + level) * HEADS * CHANNELS
        for point in range(POINTS):
            tap = (row * MAPS + level) * POINTS + point
            x = tl.load(locations + 2 * tap, mask=asked, other=0).to(tl.float32) * width.to(tl.float32) - 0.5
            y = tl.load(locations + 2 * tap + 1, mask=asked, other=0).to(tl.float32) * height.to(tl.float32) - 0.5
            weight = tl.load(weights + tap, mask=asked, other=0).to(tl.float32)
            left, top = tl.floor(x), tl.floor(y)
            for corner in tl.static_range(4):
                at_x, at_y = left + corner % 2, top + corner // 2
                inside = asked & (at_x >= 0) & (at_x < width) & (at_y >= 0) & (at_y < height)
                share = weight * (1 - tl.abs(x - at_x)) * (1 - tl.abs(y - at_y))
                place = tl.where(inside, at_y.to(tl.int64) * width + at_x.to(tl.int64), 0) * HEADS * CHANNELS
                seen = inside[:, None] & (channel < CHANNELS)
                total += share[:, None] * tl.load(first + place[:, None] + channel, mask=seen, other=0).to(tl.float32)
    kept = asked[:, None] & (channel < CHANNELS)
    tl.store(out + row[:, None] * CHANNELS + channel, total.to(out.dtype.element_ty), mask=kept)
