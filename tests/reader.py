"""What a reader of the documentation may have: a folder with the demo and ImageNet, and a Hub with both on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.blocks import ROOT
from tests.local_hub.client import hub_environment
from tests.local_hub.server import running_hub
from tests.published import (
    FORNET,
    IMAGENET,
    SHARDS,
    WNIDS,
    key_of,
    publish_release,
    publish_source,
    source_of,
    write_release,
)


@contextmanager
def surroundings(folder: Path, demo: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """The folder, filled, and the environment in which the Hub is the test's."""
    shutil.copytree(demo, folder / "demo", symlinks=True)
    for name in ("build", "examples"):
        (folder / name).symlink_to(ROOT / name)
    for split, name in (("train", "train"), ("validation", "val")):
        for number in range(5 * SHARDS[split]):
            path = folder / "imagenet" / name / WNIDS[number % 2] / f"{key_of(split, number)}.JPEG"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source_of(split, number))
    with running_hub() as hub:
        write_release(folder / "release", publish_source(hub))
        publish_release(hub, folder / "release")
        hub.commit(FORNET, {"README.md": b"---\nlicense: other\n---\n# ForNet\n"})
        token = hub.add_user("reader")
        hub.gate(IMAGENET, allow={"reader"})
        yield folder, hub_environment(hub.url, folder / "home", token)
