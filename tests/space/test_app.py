"""The served page answers programs: composition, mask, answers, and clear messages."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

gradio_client = pytest.importorskip("gradio_client", reason="only the Space's environment has gradio")
pytest.importorskip("gradio")

from tests.space.conftest import serving  # noqa: E402

SLIDERS = (0.2, 0.5, 0.6, 2.0, 1.0)


@pytest.fixture(scope="module")
def client(served):
    return gradio_client.Client(served, verbose=False)


def compose(client, thing="palace", background="projectile", own=None, sliders=SLIDERS):
    """The three images of a composition."""
    paths = client.predict(thing, background, own, *sliders, api_name="/compose")
    return [np.asarray(Image.open(path)) for path in paths]


def test_image_mask_and_original_come_back(client):
    image, mask, original = compose(client)
    assert image.shape == (*mask.shape[:2], 3)
    assert 0.15 < (mask > 127).mean() < 0.25
    assert original.shape != image.shape


def test_the_composition_changes_with_background_place_and_feather(client):
    first = compose(client)
    assert compose(client, background="cup")[0].shape != first[0].shape
    for other in ((0.1, *SLIDERS[1:]), (0.2, 0.2, *SLIDERS[2:]), (*SLIDERS[:3], 12.0, 1.0), (*SLIDERS[:4], 0.3)):
        assert (compose(client, sliders=other)[1] != first[1]).any()


def test_a_background_may_be_the_visitor_s_own(client, tmp_path):
    Image.new("RGB", (320, 160), (9, 99, 199)).save(tmp_path / "own.png")
    image, _, _ = compose(client, own=gradio_client.handle_file(tmp_path / "own.png"))
    assert image.shape == (160, 320, 3)
    assert image[0, 0].tolist() == [9, 99, 199]


@pytest.mark.parametrize("part", [b"\x89PNG\r\n\x1a\nbroken", None])
def test_a_damaged_image_is_told_in_plain_words(client, tmp_path, part):
    path = tmp_path / "own.png"
    Image.effect_noise((99, 99), 50).save(path)
    path.write_bytes(part or path.read_bytes()[:3000])
    with pytest.raises(gradio_client.exceptions.AppError, match=r"^This image cannot be read: choose another one"):
        compose(client, own=gradio_client.handle_file(path))


def test_the_answer_has_a_probability_for_each_class(client):
    path = client.predict("palace", "projectile", None, *SLIDERS, api_name="/compose")[0]
    label, note = client.predict(gradio_client.handle_file(path), api_name="/answer")
    shares = [one["confidence"] for one in label["confidences"]]
    assert len(shares) == 5
    assert shares == sorted(shares, reverse=True)
    assert note == ""


def test_every_background_has_an_answer(client):
    row, said = client.predict("palace", *SLIDERS, api_name="/backgrounds")
    captions = [one["caption"] for one in row]
    assert len(captions) == 5
    assert len(set(captions)) > 1
    assert "The object is a **palace**" in said


@pytest.mark.parametrize(
    ("thing", "background", "told"), [(None, "cup", "No object"), ("cup", None, "No background")]
)
def test_without_a_choice_there_is_a_message(client, thing, background, told):
    with pytest.raises(gradio_client.exceptions.AppError, match=f"{told} is chosen"):
        compose(client, thing, background)


def test_an_unknown_object_is_told(client):
    with pytest.raises(gradio_client.exceptions.AppError, match="unicorn"):
        compose(client, "unicorn")


def test_without_a_classifier_the_page_works_and_says_why(demo, tmp_path):
    with serving(tmp_path, "nowhere:classifier", demo=demo) as address:
        client = gradio_client.Client(address, verbose=False)
        path = client.predict("palace", "projectile", None, *SLIDERS, api_name="/compose")[0]
        label, note = client.predict(gradio_client.handle_file(path), api_name="/answer")
        assert not (label or {}).get("confidences")
        assert "There are no answers" in note
        assert "nowhere:classifier" in note
        row, said = client.predict("palace", *SLIDERS, api_name="/backgrounds")
        assert [one["caption"] for one in row] == ["tabby", "palace", "projectile", "cup", "daisy"]
        assert said == ""
