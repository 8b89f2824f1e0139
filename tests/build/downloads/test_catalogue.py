"""The catalogue agrees with the code that wants its things, and invents nothing."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

import segment
import select_versions
from producers.downloads.catalogue import CATALOGUE, DATA, WEIGHTS
from producers.downloads.item import FILE, KINDS, MODEL, PAGE, UNKNOWN
from producers.downloads.page import tables
from producers.registry import MODELS
from tests.blocks import ROOT

OLD = "torchvision-resnet50-19c8e357"  # of before 0.9: the published figures of ImageNet-9 were measured with it
ADDRESSES = {item.address: item for item in CATALOGUE.values()}


def test_names_are_unlike_and_easy_to_type() -> None:
    assert len(CATALOGUE) == len(DATA) + len(WEIGHTS)
    assert [name for name in CATALOGUE if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []
    assert {item.kind for item in CATALOGUE.values()} <= {*KINDS}


@pytest.mark.parametrize("item", CATALOGUE.values(), ids=lambda item: item.name)
def test_digests_are_stated_by_somebody(item) -> None:
    assert bool(item.digest) is bool(item.stated_by)
    if item.digest:
        assert re.fullmatch(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{6,64}", item.digest)
    assert item.size == UNKNOWN or re.fullmatch(r"[\d.]+( to \d+)? [MG]B", item.size)
    if item.kind in (FILE, PAGE):
        assert re.match(r"https?://", item.address)
        assert not item.revision
    else:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", item.address)


def test_the_weights_of_every_registered_model_are_listed() -> None:
    wanted = {model.weights for model in MODELS if getattr(model, "weights", None)}
    assert len(wanted) >= 4
    assert {name for name in wanted if ADDRESSES[name].kind == MODEL} == wanted


def test_the_defaults_of_segmenting_are_listed() -> None:
    assert {choice.name for choice in segment.DEFAULTS.values()} == {"grounding-dino", "sam", "lama"}
    assert {"grounding-dino", "sam-vit-b", "lama"} <= set(CATALOGUE)


def test_the_publications_classifiers_are_listed() -> None:
    named = {item.wanted_by for item in WEIGHTS}
    assert {f"build/select_versions.py: torchvision:{name}" for name in select_versions.REFERENCE} <= named


def test_addresses_and_digests_are_those_of_the_code() -> None:
    pytest.importorskip("torch")
    sam = importlib.import_module("producers.segment.sam")
    for size, file in sam.FILES.items():
        assert CATALOGUE[f"sam-{size.replace('_', '-')}"].address == f"{sam._ADDRESS}/{file}"
    lama = next(model for model in MODELS if model.name == "lama")
    assert CATALOGUE["lama"].digest == f"md5:{lama.revision}"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("lama", "simple_lama_inpainting/models/model.py"),
        ("inception", "torch_fidelity/feature_extractor_inceptionv3.py"),
        ("encoder-resnet34", "segmentation_models_pytorch/encoders/resnet.py"),
        ("voc2012", "torchvision/datasets/voc.py"),
        ("imagenet-train", "torchvision/datasets/imagenet.py"),
        ("imagenet-val", "torchvision/datasets/imagenet.py"),
        ("timm-resnet50", "timm/models/resnet.py"),
        ("timm-deit-small-patch16-224", "timm/models/deit.py"),
        *((name, "torchvision/models") for name in CATALOGUE if name.startswith("torchvision-") and name != OLD),
    ],
)
def test_what_packages_fetch_by_themselves_is_the_same(name: str, file: str) -> None:
    """Their sources say it; to import them would take long."""
    package, _, inside = file.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"{package} is not installed")
    place, item = Path(spec.origin).parent / inside, CATALOGUE[name]
    paths = [place] if place.is_file() else [*place.rglob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    if item.kind == PAGE:
        assert f'("{item.files[0]}", "{item.digest.removeprefix("md5:")}")' in text
    elif item.kind == FILE:
        assert f'"{item.address}"' in text
        assert not item.digest.startswith("md5:") or name == "lama" or item.digest[4:] in text
    else:
        assert item.address.removeprefix("timm/") in text
        assert item.revision is None or item.revision in text


def test_repositories_that_the_code_names_are_listed() -> None:
    """Ids of the Hub as defaults in code, such as those of `CompVis` and `IDEA-Research`."""
    owners = {item.address.partition("/")[0] for item in CATALOGUE.values() if item.kind not in (FILE, PAGE)}
    folders = ("build", "fornet_hf", "examples")
    texts = [path.read_text(encoding="utf-8") for folder in folders for path in (ROOT / folder).rglob("*.py")]
    pattern = re.compile(rf'"((?:{"|".join(owners - {"timm"})})/[\w.-]+)"')
    found = {name for text in texts for name in pattern.findall(text)}
    assert len(found) > 3
    assert found - set(ADDRESSES) == set()


def test_classifiers_that_pages_and_examples_name_are_listed() -> None:
    paths = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.*")]
    texts = [path.read_text(encoding="utf-8") for path in paths if path.suffix in (".md", ".py", ".json", ".ipynb")]
    named = {name for text in texts for name in re.findall(r"\b(?:timm|torchvision):[a-z][a-z0-9_]+", text)}
    wanted = "\n".join(item.wanted_by for item in WEIGHTS)
    assert len(named) > 8
    assert {name for name in named if not re.search(rf"{name}\b", wanted)} == set()


def test_the_page_shows_the_catalogue() -> None:
    page = Path(ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert tables() in page, "run: python docs/make.py"
