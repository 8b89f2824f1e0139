"""Shapes read as feature maps."""

import pytest

from fornet_hf.evaluation.saliency.readings import Reading, reading


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1, 512, 7, 7), Reading((7, 7), 1)),
        ((1, 7, 7, 768), Reading((7, 7), 3)),
        ((1, 8, 8, 8), Reading((8, 8), 1)),  # channels are more likely to come first
        ((1, 512, 1, 1), None),
        ((1, 3, 197, 64), None),  # queries of attention
        ((1, 3, 197, 197), Reading((197, 197), 1)),  # only by name
        ((1, 197, 64), Reading((14, 14), 2, tokens=True, prefix=1, patches=True)),
        ((1, 201, 64), Reading((14, 14), 2, tokens=True, prefix=5, patches=True)),
        ((1, 49, 64), Reading((7, 7), 2, tokens=True)),  # merged
        ((1, 50, 64), None),
        ((1, 1, 64), None),
        ((1, 1024, 1), None),
        ((1, 1000), None),
    ],
)
def test_outputs_are_read_by_their_shapes(shape, expected):
    assert reading(shape, (224, 224), [(56, 56), (14, 14)], None) == expected


def test_a_stated_number_of_prefix_tokens_decides():
    assert reading((1, 197, 64), (224, 224), [(14, 14)], 1).prefix == 1
    assert reading((1, 196, 64), (224, 224), [(14, 14)], 1).prefix == 0  # before the class token is there
    assert reading((1, 198, 64), (224, 224), [(14, 14)], 1) is None
    assert reading((1, 50, 64), (224, 224), [(14, 14)], 1) == Reading((7, 7), 2, tokens=True, prefix=1)


def test_grids_have_the_shape_of_the_image():
    assert reading((1, 64, 16, 8), (512, 256), [], None) == Reading((16, 8), 1)
    assert reading((1, 16, 8, 64), (512, 256), [], None) == Reading((16, 8), 3)
    assert reading((1, 129, 64), (512, 256), [(16, 8)], None).grid == (16, 8)
    assert reading((1, 128, 64), (512, 256), [], None).grid == (16, 8)
    assert reading((1, 15 * 11, 64), (240, 176), [], None).grid == (15, 11)
