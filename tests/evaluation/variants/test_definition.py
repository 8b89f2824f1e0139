"""The pixels of the variants equal those of a second implementation."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.variants import definition, eligibility, rendering
from fornet_hf.evaluation.variants.definition import Corners
from fornet_hf.evaluation.variants.subjects import Subject
from tests.evaluation.variants import naive

EDGE = 12  # instead of 256, where loops take long


@st.composite
def subjects(draw):
    """Draw small images with few levels, so that black is frequent; boxes at edges, ties, odd shapes."""
    height, width = draw(st.integers(2, 17)), draw(st.integers(2, 17))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    image = random.integers(0, 3, (height, width, 3)).astype(np.uint8) * 100
    mask = random.random((height, width)) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    xmin, ymin = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    # Corners at width or height, which ImageNet's annotations have, lie beside the image.
    xmax, ymax = draw(st.integers(xmin, width)), draw(st.integers(ymin, height))
    if xmin == ymin == 0 and xmax == width and ymax == height:
        xmax -= 1
    return Subject(image, mask, Corners(xmin, ymin, xmax, ymax))


def lists(pixels):
    return [[tuple(int(value) for value in pixel) for pixel in row] for row in pixels]


def numbers(mask):
    return mask.astype(int).tolist()


@given(subjects())
def test_plain_variants_equal_the_second_implementation(subject):
    image, mask, box = lists(subject.image), numbers(subject.mask), subject.box
    expected = {
        "original": image,
        "only_bg_b": naive.only_bg_b(image, box),
        "only_bg_t": naive.only_bg_t(image, box),
        "only_fg": naive.only_fg(image, mask),
        "no_fg": naive.no_fg(image, mask),
    }
    for variant, pixels in expected.items():
        assert lists(rendering.plain(subject, variant)) == pixels, variant


@given(subjects(), subjects())
def test_mixed_variants_equal_the_second_implementation(front, back):
    pixels = naive.mixed(lists(front.image), numbers(front.mask), lists(back.image), back.box, EDGE)
    assert lists(rendering.mixed(front, back, EDGE)) == pixels


def test_mixed_images_of_full_size_equal_the_second_implementation():
    random = np.random.default_rng(0)
    front, back = (
        Subject(random.integers(0, 256, (*shape, 3), np.uint8), random.random(shape) < 0.5, Corners(20, 9, 60, 50))
        for shape in [(70, 90), (131, 80)]
    )
    pixels = naive.mixed(lists(front.image), numbers(front.mask), lists(back.image), back.box, 256)
    assert lists(rendering.mixed(front, back)) == pixels


@given(st.integers(1, 700), st.integers(1, 700), st.sampled_from([224, 256]))
@example(500, 375, 224)
def test_resizing_and_cropping_are_those_of_torchvision(width, height, side):
    transforms = pytest.importorskip("torchvision.transforms")
    if max(width, height) > 40 * min(width, height):
        return
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    steps = [transforms.Resize(256, transforms.InterpolationMode.NEAREST), transforms.CenterCrop(side)]
    expected = transforms.Compose(steps)(Image.fromarray(pixels))
    assert np.array_equal(rendering.shown(pixels, side), np.asarray(expected))


@given(st.integers(256, 700), st.integers(256, 700))
def test_the_middle_of_the_middle_is_the_middle(width, height):
    pixels = np.arange(width * height, dtype=np.int64).reshape(height, width)
    inner = definition.cropped(definition.cropped(pixels, 256), 224)
    assert np.array_equal(inner, definition.cropped(pixels, 224))


def test_black_pixels_of_the_object_show_the_background():
    image, mask = np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.bool_)
    back = Subject(np.full((4, 4, 3), 7, np.uint8), mask, Corners(1, 1, 2, 2))
    assert (rendering.mixed(Subject(image, mask, Corners(0, 0, 3, 3)), back) == 7).all()


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        (Corners(2, 2, 6, 6), (2, 8)),  # equal on all sides: the lower one, which begins with the box's last row
        (Corners(5, 0, 7, 7), (8, 5)),
        (Corners(0, 0, 6, 7), (8, 2)),
        (Corners(0, 3, 7, 7), (3, 8)),
    ],
)
def test_the_largest_strip_is_the_tile(box, shape):
    image = np.zeros((8, 8, 3), np.uint8)
    assert definition.tile(image, box).shape[:2] == shape


def test_a_box_without_background_has_no_tile():
    with pytest.raises(ConfigurationError, match="no strip"):
        definition.tile(np.zeros((8, 8, 3), np.uint8), Corners(0, 0, 8, 8))


@given(subjects())
def test_rules_count_what_the_second_implementation_counts(subject):
    height, width = subject.image.shape[:2]
    if max(width, height) > 2 * min(width, height):
        return
    seen, whole = naive.covered(subject.box, width, height, 256, 224)
    reason = eligibility.objection(subject.box, width, height)
    assert (reason == eligibility.TOO_LARGE) == (seen / 224**2 > 0.9)
    if seen / 224**2 <= 0.9:
        assert (reason == eligibility.CROPPED) == (seen < 0.5 * whole)


@pytest.mark.parametrize(("area", "fits"), [(9, False), (10, True)])
def test_grabcut_must_find_a_tenth_of_the_box(area, fits):
    assert eligibility.fills(area, Corners(0, 0, 10, 10)) == fits


def test_a_box_of_one_row_has_no_area():
    assert not eligibility.fills(5, Corners(0, 3, 10, 3))
