"""The dataset card."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.files import readable_bytes
from fornet_hf.publish.card import fill_card, size_category
from fornet_hf.release.verify import check_card
from tests.local_hub.fixtures import uploads
from tests.publish.conftest import NAME

HEADER = "---\nlicense: mit\n---\n"


@uploads
def test_the_card_is_filled_with_figures_of_the_shards(run, hub, release, tmp_path):
    copy = tmp_path / "card.md"
    assert run(release.patches, "--card", str(copy)) == 0
    card = hub.files(NAME)["README.md"].decode()
    assert copy.read_text() == card
    size = readable_bytes(sum(path.stat().st_size for path in release.patches.glob("train-*")))
    assert f"| train | 9 | 9 | 9 | 3 | {size} |" in card
    assert "12 patches of 2 classes" in card
    assert "n<1K" in card
    assert "| 0.1 to 0.2 | 100.0% | 100.0% |" in card
    assert "nauen2025foraug" in card
    assert "{{" not in card


@uploads
def test_the_hub_client_reads_the_header(run, hub, release):
    from huggingface_hub import DatasetCard

    run(release.patches)
    data = DatasetCard(hub.files(NAME)["README.md"].decode()).data.to_dict()
    assert (data["license"], data["pretty_name"], data["viewer"]) == ("other", "ForNet", False)
    assert data["task_categories"] == ["image-classification", "image-segmentation"]
    assert not {"dataset_info", "configs"} & set(data)


@uploads
def test_a_sample_image_is_published_and_shown(run, hub, release, tmp_path):
    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, "PNG")
    (tmp_path / "sheet.png").write_bytes(data.getvalue())
    assert run(release.patches, "--picture", str(tmp_path / "sheet.png")) == 0
    (path,) = [path for path in hub.files(NAME) if path.startswith("assets/")]
    assert hub.files(NAME)[path] == data.getvalue()
    assert f"]({path})" in hub.files(NAME)["README.md"].decode()
    assert run(release.patches) == 0
    assert path not in hub.files(NAME)


@uploads
def test_a_image_that_is_none_is_refused(run, release, tmp_path, capsys):
    (tmp_path / "sheet.png").write_bytes(b"text")
    assert run(release.patches, "--picture", str(tmp_path / "sheet.png")) == 1
    assert "JPEG or PNG" in capsys.readouterr().err


def card_of(**parts):
    from fornet_hf.format.manifest import Manifest
    from tests.publish.releases import ENCODING

    manifest = Manifest(encoding=ENCODING, splits={"train": ()}, **parts)
    template = (Path(__file__).parents[2] / "dataset_card.md").read_text(encoding="utf-8")
    return fill_card(template, manifest, {}, repository="you/MyForNet", image=None)


def test_a_card_of_imagenet_has_its_terms():
    card = card_of(source="ILSVRC/imagenet-1k", source_revision="49e2ee26")
    check_card(card)
    assert "pretty_name: MyForNet\nlicense: other\nlicense_name: imagenet-terms-of-access\n" in card
    assert "- extended|ILSVRC/imagenet-1k\n" in card
    assert "access to [ILSVRC/imagenet-1k](https://huggingface.co/datasets/ILSVRC/imagenet-1k)" in card
    assert "at revision 49e2ee26;" in card
    assert 'load_dataset("you/MyForNet", split="train")' in card
    assert "TNauen/ForNet" not in card


@pytest.mark.parametrize("source", ["pictures", "you/flowers"])
def test_a_card_of_another_set_does_not_speak_of_imagenet(source):
    card = card_of(source=source, classes=("daisy", "rose"))
    check_card(card)
    about = card.partition("# MyForNet")[2].partition("## Load it")[2]
    assert "ImageNet" not in about
    assert "image-net.org" not in card
    assert ("huggingface.co/datasets/you/flowers" in about) == ("/" in source)
    made_from = re.search(r"built the patches from (.*)", card)[1]
    assert "not recorded" not in made_from


@pytest.mark.parametrize(("source", "given"), [("pictures", True), ("you/flowers", False)])
def test_the_code_of_a_card_gives_the_images_where_the_hub_has_none(source, given):
    code = [line for line in card_of(source=source).splitlines() if line.startswith("train = ")]
    assert [', imagenet_dir="/path/to/pictures")' in line for line in code] == [given, given]


def test_a_card_says_of_a_model_without_settings_that_it_has_none():
    assert "- detector: name `given boxes`, settings none\n" in card_of(
        source="pictures", producer={"detector": {"name": "given boxes", "settings": {}}}
    )


def test_an_unknown_placeholder_is_refused():
    from fornet_hf.format.manifest import Manifest
    from tests.publish.releases import ENCODING

    manifest = Manifest(encoding=ENCODING, splits={"train": ()})
    with pytest.raises(ConfigurationError, match=r"unknown placeholder; found \{\{ nothing \}\}"):
        fill_card(HEADER + "{{ nothing }}", manifest, {}, repository="you/MyForNet", image=None)


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("# ForNet", "no YAML header"),
        ("---\nlicense: [\n---\n", "not valid YAML"),
        ("---\n- license\n---\n", "at least license"),
        ("---\nlicense: mit\nconfigs: []\n---\n", "would break load_dataset"),
        ("---\nlicense: mit\ndataset_info: {}\n---\n", "would break load_dataset"),
        (HEADER + "{{rows}}", "not filled"),
    ],
)
def test_cards_that_would_do_harm_are_refused(card, reason):
    with pytest.raises(ConfigurationError, match=reason):
        check_card(card)


def test_the_template_speaks_of_its_commands_as_they_are():
    template = (Path(__file__).parents[2] / "dataset_card.md").read_text(encoding="utf-8")
    assert "trust_remote_code=True" in template
    assert "fornet verify" in template


@pytest.mark.parametrize(("rows", "name"), [(0, "n<1K"), (1000, "1K<n<10K"), (1_324_308, "1M<n<10M")])
def test_sizes_are_named_as_on_the_hub(rows, name):
    assert size_category(rows) == name
