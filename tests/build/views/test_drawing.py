"""Heat maps, outlines and boxes on images."""

import numpy as np

from producers.scene import Detection
from producers.views.drawing import COLOURS, boxed, colours_of, fitted, heat, outlined

GREY = np.full((120, 160, 3), 128, np.uint8)


def where(drawn, colour):
    """The box around the pixels of a colour."""
    y, x = np.nonzero((drawn == colour).all(-1))
    return (x.min(), y.min(), x.max(), y.max()) if len(x) else None


def test_the_heat_map_is_red_where_the_object_is_and_blue_elsewhere():
    soft = np.zeros((4, 4), np.uint8)
    soft[:2, 2:] = 230
    drawn = heat(np.full((80, 120, 3), 128, np.uint8), soft).astype(int)
    assert drawn[5, 110, 0] > drawn[5, 110, 2] + 40
    assert drawn[75, 5, 2] > drawn[75, 5, 0]


def test_the_outline_lies_on_the_edge_and_the_rest_is_darker():
    mask = np.zeros((40, 60), bool)
    mask[10:30, 20:40] = True
    drawn = outlined(np.full((80, 120, 3), 200, np.uint8), mask)
    assert drawn[40, 60].tolist() == [200, 200, 200]
    assert drawn[5, 5].tolist() == [100, 100, 100]
    assert drawn[20, 60].tolist() == [255, 40, 90]


def test_rasters_are_fitted_into_a_size_with_their_proportions():
    assert fitted(GREY, (80, 80)).shape == (60, 80, 3)
    assert fitted(GREY, (1000, 240)).shape == (240, 320, 3)


def test_prompts_have_colours_by_their_places():
    assert colours_of(["a", "b", "a", "c"]) == {"a": COLOURS[0], "b": COLOURS[1], "c": COLOURS[2]}
    assert len(colours_of(map(str, range(20)))) == 20


def test_a_box_lies_on_its_pixels_in_the_colour_of_its_prompt_with_its_score_above():
    box = Detection(box=(40, 60, 120, 100), score=0.5, prompt="b")
    drawn = boxed(GREY, (160, 120), [box], {"b": COLOURS[1]})
    x0, y0, x1, y1 = where(drawn, COLOURS[1])
    assert (x0, x1, y1) == (40, 119, 99)
    assert 40 < y0 < 50
    assert where(boxed(GREY, (320, 240), [box], {"b": COLOURS[1]}), COLOURS[1])[::2] == (20, 59)
    assert where(GREY, COLOURS[1]) is None


def test_scores_do_not_cover_each_other_and_the_best_box_is_on_top():
    same = [Detection(box=(20, 40, 140, 110), score=score, prompt=name) for score, name in ((0.9, "a"), (0.5, "b"))]
    colours = colours_of(["a", "b"])
    drawn = boxed(GREY, (160, 120), same, colours)
    assert where(drawn, colours["a"])[2:] == (139, 109)
    first, second = where(drawn, colours["a"]), where(drawn, colours["b"])
    assert first[1] < 40 <= second[1]


def test_scores_are_left_out_where_there_is_no_room():
    boxes = [Detection(box=(0, 0, 20, 16), score=0.5, prompt="a") for _ in range(50)]
    assert boxed(GREY[:20, :24], (24, 20), boxes, {"a": COLOURS[0]}).shape == (20, 24, 3)
