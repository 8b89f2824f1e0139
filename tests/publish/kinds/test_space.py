"""`build/publish.py --kind space`: the app, and a release that is not ImageNet's."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fornet_hf.format.manifest import read_manifest, write_manifest
from tests.images import file_of, made_image
from tests.local_hub.fixtures import uploads
from tests.local_hub.state import Hub
from tests.publish.releases import make_release

pytestmark = uploads
NAME = "TNauen/demo"
SPACE = ("--kind", "space", "--create", "public")
HEADER = "---\ntitle: ForNet\nsdk: gradio\nsdk_version: 6.0.0\napp_file: app.py\n---\n\n# ForNet\n"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "space"
    files = {
        "README.md": HEADER,
        "app.py": "import gradio",
        "look/drawing.py": "",
        "requirements.txt": "gradio",
        "test_app.py": "",
        "tests/test_more.py": "",
        "__pycache__/app.cpython-311.pyc": "",
        ".gitignore": "",
        "weights.pt": "PK",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """Patches and the images that they apply to, as the demo makes them."""
    folder = tmp_path / "demo"
    make_release(folder)
    (folder / "contact_sheet.png").write_bytes(file_of(made_image(8, 8), "PNG"))
    (folder / "cache").mkdir()
    pq.write_table(pa.table({"image": [file_of(made_image(8, 8))]}), folder / "cache" / "rows.parquet")
    return folder


def published(hub: Hub) -> set[str]:
    """The files of the Space but for the library."""
    return {name for name in hub.files(NAME, kind="spaces") if not name.startswith(("fornet_hf/", "ForNet.py"))}


def test_the_app_arrives_without_its_tests(
    run: Callable[..., int], hub: Hub, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(app, *SPACE, name=NAME) == 0
    assert published(hub) == {"README.md", "app.py", "look/drawing.py", "requirements.txt"}
    assert hub.files(NAME, kind="spaces")["README.md"].decode() == HEADER
    assert "weights.pt" in capsys.readouterr().err
    assert {"ForNet.py", "fornet_hf/__init__.py", "fornet_hf/data/imagenet_classes.tsv"} <= {
        *hub.files(NAME, kind="spaces")
    }


def test_a_release_goes_along_with_its_images_if_they_may_be_published(
    run: Callable[..., int], hub: Hub, app: Path, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = (*SPACE, "--release", str(demo))
    assert run(app, *options, name=NAME) == 1
    assert "images are not published without your word" in capsys.readouterr().err
    assert run(app, *options, "--images-may-be-published", "--tag", "v1", name=NAME) == 0
    found = hub.files(NAME, kind="spaces")
    for path in (demo / "patches").iterdir():
        assert found[f"release/patches/{path.name}"] == path.read_bytes()
    images = list(demo.rglob("*.JPEG"))
    assert len([name for name in found if name.endswith(".JPEG")]) == len(images) > 0
    assert not {"release/cache/rows.parquet", "release/contact_sheet.png"} & set(found)
    assert run(app, *SPACE, name=NAME) == 0
    assert not [name for name in published(hub) if name.startswith("release/")]
    assert hub.repo(NAME, "spaces").tags == {"v1": hub.history(NAME, kind="spaces")[1].oid}


def of_imagenet(demo: Path) -> str:
    manifest = read_manifest(demo / "patches")
    write_manifest(demo / "patches", dataclasses.replace(manifest, source="ILSVRC/imagenet-1k"))
    return "a release of ImageNet must not be published with its images"


def without_class_names(demo: Path) -> str:
    manifest = read_manifest(demo / "patches")
    write_manifest(demo / "patches", dataclasses.replace(manifest, classes=None))
    return "a release of ImageNet must not be published with its images"


def with_keys_of_imagenet(demo: Path) -> str:
    (demo / "imagenet" / "train" / "n01440764_10026.JPEG").write_bytes(file_of(made_image(8, 8)))
    return "a release of ImageNet must not be published with its images"


def with_images_for_patches(demo: Path) -> str:
    shard = next((demo / "patches").glob("train-*.parquet"))
    pq.write_table(pa.table({"image": [file_of(made_image(8, 8))]}), shard)
    return f"{shard.name}: "


def without_a_manifest(demo: Path) -> str:
    (demo / "patches" / "manifest.json").unlink()
    return "no release for the Space"


@pytest.mark.parametrize(
    "spoil", [of_imagenet, without_class_names, with_keys_of_imagenet, with_images_for_patches, without_a_manifest]
)
def test_releases_that_must_not_be_shown_are_refused(
    run: Callable[..., int],
    hub: Hub,
    app: Path,
    demo: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], str],
) -> None:
    expected = spoil(demo)
    assert run(app, *SPACE, "--release", str(demo), "--images-may-be-published", name=NAME) == 1
    assert expected in capsys.readouterr().err
    assert ("spaces", NAME) not in hub.repositories


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (HEADER.replace("gradio", "static"), "its header"),
        (HEADER.replace("app.py", "main.py"), "its header"),
        ("# ForNet\n", "no YAML header"),
    ],
)
def test_headers_that_would_not_start_are_refused(
    run: Callable[..., int], app: Path, capsys: pytest.CaptureFixture[str], header: str, expected: str
) -> None:
    (app / "README.md").write_text(header)
    assert run(app, *SPACE, name=NAME) == 1
    assert expected in capsys.readouterr().err


def test_a_missing_file_is_told(run: Callable[..., int], app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (app / "requirements.txt").unlink()
    assert run(app, *SPACE, name=NAME) == 1
    assert "a file of the Space is missing" in capsys.readouterr().err
