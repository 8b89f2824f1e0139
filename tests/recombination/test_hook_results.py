"""Transforms that return nothing, something empty or something else are named, with the next step."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination import Recombine


def shown(ds, **parameters):
    return Recombine(ds, **parameters)(ds.with_format(None)[:1])


class SomeCrop:
    """By its name, it is called on the background first."""

    def __init__(self, made):
        self.made = made

    def __call__(self, image):
        return self.made


NOTHING = [None, [], (), {}, "", Image.new("RGB", (0, 5)), np.zeros((3, 0, 5)), np.zeros(0)]


@pytest.mark.parametrize("made", NOTHING)
@pytest.mark.parametrize("masks", [False, True])
def test_a_transform_must_return_something(ds, made, masks):
    from fornet_hf.recombination import ImageOnly

    with pytest.raises(ConfigurationError, match=r"transform (returned nothing|left image and mask of different)"):
        shown(ds, transform=ImageOnly(lambda image: made), return_fg_masks=masks)


@pytest.mark.parametrize("made", [None, [], ""])
def test_a_transform_of_labels_must_return_something(ds, made):
    with pytest.raises(ConfigurationError, match=r"target_transform returned nothing.*return"):
        shown(ds, target_transform=lambda label: made)


@pytest.mark.parametrize("made", [0, False, np.int64(0), np.zeros(3)], ids=repr)
def test_zero_is_a_label(ds, made):
    assert shown(ds, target_transform=lambda label: made)["label"][0] is made


@pytest.mark.parametrize("made", [None, np.zeros((5, 5, 3)), [Image.new("RGB", (5, 5))], Image.new("RGB", (0, 5))])
def test_a_crop_before_pasting_must_return_a_image(ds, made):
    with pytest.raises(ConfigurationError, match=r"crop or resize in transform returned.*paste_pre_transform"):
        shown(ds, transform=SomeCrop(made), paste_pre_transform=False)


@pytest.mark.parametrize("made", [Image.new("RGBA", (0, 0)), Image.new("RGBA", (9, 9), (255, 0, 0, 0))])
def test_an_object_stays_visible(ds, made):
    with pytest.raises(
        ConfigurationError, match=r"foreground_transform returned (something else|an invisible object)"
    ):
        shown(ds, foreground_transform=lambda image: made)


def changed(ds, **values):
    rows = [{**ds.with_format(None)[0], **values}]
    return {name: [row[name] for row in rows] for name in rows[0]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"foreground_ratio": float("nan")}, "foreground_ratio is no share.*nan.*0 to 1"),
        ({"foreground_ratio": -0.1}, "foreground_ratio is no share"),
        ({"mask": Image.new("1", (3, 3), 1)}, "the mask has not the size of its foreground.*(3, 3)"),
        ({"box": [0, 0, 9, 9]}, "the box does not fit"),
        ({"box": [0, 0]}, "the box does not fit"),
        ({"box": [-16, 0, 9, 9]}, "the box does not fit"),
    ],
)
def test_a_row_that_does_not_fit_itself_is_named(ds, values, message):
    recombine = Recombine(ds)
    with pytest.raises(ConfigurationError, match=rf"^n00000000_0: {message}"):
        recombine(changed(ds, **values))


def test_a_box_outside_of_the_image_is_named(ds):
    row = ds.with_format(None)[0]
    x0, y0, x1, y1 = row["box"]
    with pytest.raises(ConfigurationError, match="the box does not fit"):
        Recombine(ds, orig_img_prob=1.0)(changed(ds, box=[x0 + 160, y0, x1 + 160, y1]))


def test_ratios_of_backgrounds_are_shares(ds):
    rows = ds.to_list()
    rows[3]["foreground_ratio"] = float("nan")
    with pytest.raises(ConfigurationError, match=r"ratio.*nan.*n00000003_3"):
        Recombine(type(ds).from_list(rows, features=ds.features))


def test_a_configuration_as_dict_is_refused(ds):
    with pytest.raises(ConfigurationError, match=r"found dict; .*RecombinationConfig.*\*\*config.*from_json"):
        Recombine(ds, config={"flip": 0.5})
