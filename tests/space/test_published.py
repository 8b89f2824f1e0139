"""The files that publish.py sends to the Hub are a Space that runs."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

gradio_client = pytest.importorskip("gradio_client", reason="only the Space's environment has gradio")
pytest.importorskip("gradio")

from fornet_hf.publish.kinds.space import SpaceMaker  # noqa: E402
from tests.blocks import ROOT  # noqa: E402
from tests.space.conftest import APP, serving  # noqa: E402


def test_what_is_published_runs_by_itself(tmp_path):
    release, space = tmp_path / "release", tmp_path / "space"
    images = release / "pictures"
    for words in (
        ("demo_pictures.py", images, "--own-names"),
        ("create_patches.py", images, release / "made", "--boxes", images / "boxes.json"),
    ):
        subprocess.run([sys.executable, ROOT / "build" / words[0], *words[1:]], check=True, capture_output=True)
    maker = SpaceMaker(folder=APP.parent, project=ROOT, release=release, images_allowed=True)
    for name, path in maker.made().files.items():
        (space / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, space / name)
    with serving(tmp_path, "colours:classifier", app=space / "app.py") as address:
        client = gradio_client.Client(address, verbose=False)
        row, said = client.predict("palace", 0.2, 0.5, 0.6, 2.0, 1.0, api_name="/backgrounds")
    assert len(row) == 5
    assert "The object is a **palace**" in said
