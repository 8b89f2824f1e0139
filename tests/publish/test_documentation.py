"""The commands of docs/publishing.md, in their order, on small things of every kind."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.blocks import blocks
from tests.local_hub.fixtures import uploads
from tests.local_hub.state import Hub
from tests.publish.conftest import NAME, TOKEN
from tests.publish.releases import Release
from tests.publish.weights import write_weights

pytestmark = uploads


def prepare(folder: Path, release: Release) -> None:
    """Make everything that the commands name."""
    shutil.copytree(release.patches, folder / "chosen" / "patches")
    write_weights(folder / "unet" / "segmenter.safetensors")
    write_weights(folder / "runs" / "lora" / "adapter" / "adapter.safetensors")
    write_weights(folder / "runs" / "deit-s" / "weights.safetensors")
    texts = {
        "runs/lora/adapter/adapter.json": json.dumps({"format": 1, "settings": {}, "base": None}),
        "runs/deit-s/report/model_index/deit-s.md": "---\nmodel-index: []\n---\n",
        "report/results.csv": "model,measure,value\nm,accuracy,0.5\n",
        "examples/space/app.py": "",
        "examples/space/requirements.txt": "",
        "examples/space/README.md": "---\nsdk: gradio\napp_file: app.py\n---\n",
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_the_commands_of_the_documentation_work_in_their_order(
    run: Callable, hub: Hub, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add_user("you", token=TOKEN)
    folder = release.patches.parent
    prepare(folder, release)
    monkeypatch.chdir(folder)
    lines = [line for block in blocks("docs/publishing.md", "bash") for line in block.code.splitlines()]
    for line in lines:
        python, script, *words = line.split()
        assert (python, Path(script).parent) == ("python", Path("build"))
        assert importlib.import_module(Path(script).stem).main(words) == 0, line
    assert hub.repo("you/MyForNet").tags == {"v1.0": hub.head("you/MyForNet")}
    assert len(hub.repo(NAME).pulls) == 1
    assert {kind for kind, _ in hub.repositories} == {"datasets", "models", "spaces"}
