import numpy as np
import pytest
import torch

pytest.importorskip("cv2", reason="masks are outlined by OpenCV")

from producers.devices.batches import BatchSize
from producers.devices.placement import ON, Placement
from producers.segment import box_segmenter
from producers.segment.box_segmenter import BoxSegmenter
from producers.segment.square import Square

SIZES = [(40, 60), (64, 64), (40, 60), (60, 40)]
BOXES = [[(5, 5, 30, 20), (20, 10, 58, 39)], [], [(0, 0, 30, 40)], [(3, 20, 30, 50)] * 2]


class Boxes:
    """A network whose three masks are the box, nothing and nothing, brighter where the image is."""

    square = Square(side=64, padded=True)

    def __init__(self):
        self.asked = []
        self.seen = 0

    def embed(self, pixels):
        self.seen += len(pixels)
        return (pixels[:, :1], pixels[:, :, ::2, ::2])

    def masks(self, embeddings, boxes):
        self.asked.append(len(boxes))
        assert [len(maps) for maps in embeddings] == [len(boxes)] * 2
        at = torch.arange(16) * 4 + 2
        x0, y0, x1, y1 = boxes.T[..., None]
        inside = ((at > y0) & (at < y1))[:, :, None] & ((at > x0) & (at < x1))[:, None]
        nothing = torch.full((len(boxes), 2, 16, 16), -1.0)
        return torch.cat([inside[:, None].float() * 2 - 1, nothing], 1)

    def masks_at(self, embeddings, points):
        return self.masks(embeddings, torch.cat([points - 10, points + 10], 1))


@pytest.fixture
def rasters():
    rng = np.random.default_rng(4)
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in SIZES]


def segmenter(network, speedups=ON, size=4):
    placement = Placement(speedups=speedups)
    return BoxSegmenter(network=network, placement=placement, source=("a", "b", "c"), batch_size=BatchSize(size))


def test_masks_are_where_boxes_are_in_images_of_all_sizes(rasters):
    found = segmenter(Boxes()).segment(rasters, BOXES)
    assert [len(masks) for masks in found] == [2, 0, 1, 2]
    for size, boxes, masks in zip(SIZES, BOXES, found, strict=True):
        for (x0, y0, x1, y1), mask in zip(boxes, masks, strict=True):
            truth = np.zeros(size, bool)
            truth[y0:y1, x0:x1] = True
            assert mask.shape == size
            assert np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth) > 0.7


def test_points_are_scaled_as_boxes_are(rasters):
    (masks, *_) = segmenter(Boxes()).segment_points(rasters, [[(50, 20)], [], [], []])
    rows, columns = masks[0].nonzero()
    assert (rows.mean(), columns.mean()) == pytest.approx((20, 50), abs=2)


@pytest.mark.parametrize("most", [1, 3 * 64 * 64 * 2, 10**9])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_masks_do_not_depend_on_batches_or_memory(rasters, monkeypatch, most, size):
    expected = segmenter(Boxes()).segment(rasters, BOXES)
    monkeypatch.setattr(box_segmenter, "_CPU_VALUES", most)
    found = segmenter(Boxes(), size=size).segment(rasters, BOXES)
    for masks, others in zip(found, expected, strict=True):
        assert len(masks) == len(others)
        assert all(np.array_equal(*pair) for pair in zip(masks, others, strict=True))


def test_boxes_of_a_batch_are_answered_together_as_far_as_memory_holds_them(rasters, monkeypatch):
    network = Boxes()
    segmenter(network).segment(rasters, BOXES)
    assert network.asked == [5]
    monkeypatch.setattr(box_segmenter, "_CPU_VALUES", 3 * 64 * 64 * 2)
    network = Boxes()
    segmenter(network).segment(rasters, BOXES)
    assert network.asked == [2, 2, 1]


def test_masks_of_a_size_are_scaled_together(rasters):
    class Noting(Square):
        def restored(self, logits, size):
            scaled.append((size, len(logits)))
            return super().restored(logits, size)

    scaled = []
    network = Boxes()
    network.square = Noting(side=64, padded=True)
    segmenter(network).segment(rasters, BOXES)
    assert scaled == [((40, 60), 3), ((60, 40), 2)]


def test_without_the_speedup_images_are_answered_one_by_one(rasters):
    network = Boxes()
    segmenter(network, ON - {"decoding"}).segment(rasters, BOXES)
    assert network.asked == [2, 1, 2]  # by size


def test_images_without_boxes_cost_nothing(rasters):
    network = Boxes()
    segmenter(network).segment(rasters, BOXES)
    assert network.seen == 3
    assert segmenter(network).segment(rasters, [[]] * 4) == [[], [], [], []]
    assert network.seen == 3


def test_images_of_all_sizes_share_batches():
    one = segmenter(Boxes())
    assert one.bucket(40, 60) == one.bucket(60, 40)
    assert one.batch_size.value == 4
