"""A Hub that outlives its process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from huggingface_hub import HfApi

from tests.local_hub.client import get, hub_environment
from tests.local_hub.persistence import open_hub, save_hub

NAME = "TNauen/ForNet"


def test_a_saved_hub_is_opened_as_it_was(tmp_path: Path) -> None:
    hub = open_hub(tmp_path)
    hub.add_user("alice", organisations=("TNauen",))
    hub.commit(NAME, {"a.zip": b"old"})
    hub.tag(NAME, "v1")
    hub.commit(NAME, {"a.zip": b"new", "b.txt": b"b"})
    hub.gate(NAME, allow={"bob"})
    hub.repo(NAME).open_pull("main", "Patches", "bob")
    save_hub(hub, tmp_path)
    again = open_hub(tmp_path)
    assert (again.users, again.repositories) == (hub.users, hub.repositories)
    assert again.files(NAME) == {"a.zip": b"new", "b.txt": b"b"}
    assert again.files(NAME, "v1") == {"a.zip": b"old"}


def test_a_hub_runs_by_itself(tmp_path: Path, hub_home: Path) -> None:
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / "a.txt").write_text("a")
    state, seed = tmp_path / "state", tmp_path / "seed"
    command = [
        sys.executable,
        "-m",
        "tests.local_hub",
        "--state",
        state,
        "--user",
        "TNauen",
        "--seed",
        f"{NAME}={seed}",
    ]
    environment = hub_environment("", tmp_path)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip().removeprefix("HF_ENDPOINT=")
            assert get(f"{url}/datasets/{NAME}/resolve/main/a.txt").body == b"a"
            token = process.stdout.readline().strip().partition("HF_TOKEN=")[2]
            api = HfApi(endpoint=url, token=token)
            api.create_tag(NAME, tag="v1", repo_type="dataset")
        finally:
            process.kill()
    assert list(open_hub(state).repo(NAME).tags) == ["v1"]
