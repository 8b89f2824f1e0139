"""The sample of the old format, applied once; and the public tool's own result of it."""

from __future__ import annotations

import functools
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fornet_hf.hub.location import Folder
from fornet_hf.layout.apply import apply
from fornet_hf.layout.saved import DatasetSink
from fornet_hf.layout.sinks import FolderSink, ZipSink
from fornet_hf.release.release import OldRelease, open_release
from tests.release.legacy.test_apply import SAMPLE

apply_to_zips = functools.partial(apply, form=ZipSink)
apply_to_dataset = functools.partial(apply, form=DatasetSink)
IMAGES = Folder(SAMPLE / "imagenet")


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes take seconds to start; the tests that are about them ask for more."""
    monkeypatch.setenv("MAX_WORKERS", "1")


@pytest.fixture(scope="session")
def release() -> OldRelease:
    if not SAMPLE.is_dir():
        pytest.skip(f"no sample release at {SAMPLE}")
    found = open_release(Folder(SAMPLE / "hub"))
    assert isinstance(found, OldRelease)
    return found


def apply_all(release: OldRelease, root: Path, *, zips: bool = False) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAX_WORKERS", "1")
        for split in release.splits:
            apply(release, split, IMAGES, root, ZipSink if zips else FolderSink)
    return root


@pytest.fixture(scope="session")
def applied(release: OldRelease, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of both splits. Only to be read."""
    return apply_all(release, tmp_path_factory.mktemp("applied"))


@pytest.fixture(scope="session")
def zipped(release: OldRelease, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Zips of both splits. Only to be read."""
    return apply_all(release, tmp_path_factory.mktemp("zipped"), zips=True)


@pytest.fixture
def public(release: OldRelease, tmp_path: Path) -> Path:
    """Return what the public tool made of the sample, with the ratios beside."""
    del release
    root = tmp_path / "public"
    shutil.copytree(SAMPLE / "expected", root, copy_function=shutil.copyfile)
    for path in (SAMPLE / "hub").glob("*.json"):
        shutil.copyfile(path, root / path.name)
    for folder in (root, *root.rglob("*")):
        folder.chmod(0o755)
    return root


def names(root: Path) -> list[str]:
    """Return the paths of all files below a folder."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def opened(path: Path) -> Image.Image:
    """Return an image, read as a whole; its file is closed."""
    return Image.open(io.BytesIO(path.read_bytes()))


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB."""
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))
