"""Downloads by the real client: whole, in ranges, by revision, from gated repositories."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import HfApi, HfFileSystem
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, HfHubHTTPError, RevisionNotFoundError

from tests.local_hub.client import get, hub_environment, output_of
from tests.local_hub.state import Hub, Options

NAME = "TNauen/ForNet"
UNKNOWN = "hf_wrong"
SHARD = bytes(range(256)) * 4000
FILES = {"README.md": b"# ForNet", "data/train 0.zip": SHARD}


@pytest.fixture
def api(hub: Hub, hub_home: Path) -> HfApi:
    """Return the client of nobody in particular."""
    hub.commit(NAME, FILES)
    return HfApi(endpoint=hub.url, token=False)


@pytest.mark.parametrize("redirect", [False, True])
def test_a_file_is_downloaded_once(api: HfApi, hub: Hub, redirect: bool) -> None:
    hub.options = Options(redirect=redirect)
    for _ in range(2):
        path = Path(api.hf_hub_download(NAME, "data/train 0.zip", repo_type="dataset"))
        assert path.read_bytes() == SHARD
    assert len(hub.asked("train 0.zip", "GET", 200)) == 1


def test_the_token_does_not_follow_a_redirect(hub: Hub, hub_home: Path) -> None:
    hub.commit(NAME, FILES)
    hub.options = Options(redirect=True)
    api = HfApi(endpoint=hub.url, token=hub.add_user("alice"))
    api.hf_hub_download(NAME, "data/train 0.zip", repo_type="dataset")
    assert [record.authorized for record in hub.asked("/_cdn/", "GET")] == [False]
    assert all(record.authorized for record in hub.asked("/resolve/"))


def test_an_old_revision_is_still_there(api: HfApi, hub: Hub) -> None:
    hub.tag(NAME, "v1")
    hub.commit(NAME, {"README.md": b"# New"}, delete=["data/train 0.zip"])
    old = Path(api.hf_hub_download(NAME, "README.md", repo_type="dataset", revision="v1"))
    assert old.read_bytes() == b"# ForNet"
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(NAME, "data/train 0.zip", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        api.hf_hub_download(NAME, "README.md", repo_type="dataset", revision="v2")


def test_a_snapshot_holds_what_was_asked_for(api: HfApi, hub: Hub, tmp_path: Path) -> None:
    folder = Path(api.snapshot_download(NAME, repo_type="dataset", local_dir=tmp_path / "all"))
    assert (folder / "data" / "train 0.zip").read_bytes() == SHARD
    part = Path(api.snapshot_download(NAME, repo_type="dataset", allow_patterns="*.md"))
    assert [path.name for path in part.rglob("*") if path.is_file()] == ["README.md"]


@pytest.mark.parametrize(("span", "wanted"), [("0-9", SHARD[:10]), ("-5", SHARD[-5:]), ("9-", SHARD[9:])])
def test_ranges_are_served(hub: Hub, span: str, wanted: bytes) -> None:
    hub.commit(NAME, FILES)
    url = f"{hub.url}/datasets/{NAME}/resolve/main/data/train%200.zip"
    answer = get(url, {"Range": f"bytes={span}"})
    assert (answer.status, answer.body) == (206, wanted)
    assert hub.requests[-1].sent == len(wanted)


def test_a_range_behind_the_end_is_refused(hub: Hub) -> None:
    hub.commit(NAME, FILES)
    url = f"{hub.url}/datasets/{NAME}/resolve/main/README.md"
    answer = get(url, {"Range": "bytes=100-"})
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */8")


def test_the_file_system_reads_only_the_range_it_needs(api: HfApi, hub: Hub) -> None:
    files = HfFileSystem(endpoint=hub.url, token=False, skip_instance_cache=True)
    path = f"datasets/{NAME}/data/train 0.zip"
    with files.open(path, block_size=4096) as opened:
        opened.seek(500_000)
        assert opened.read(1000) == SHARD[500_000:501_000]
    served = hub.asked("/resolve/", "GET")
    assert {record.status for record in served} == {206}
    assert sum(record.sent for record in served) < 20_000
    assert sorted(files.glob(f"datasets/{NAME}/**/*.zip")) == [path]


def test_gated_files_are_for_those_on_the_list(hub: Hub, hub_home: Path) -> None:
    gated = "ILSVRC/imagenet-1k"
    hub.commit(gated, {"classes.py": b"x"})
    hub.gate(gated, allow={"alice"})
    tokens = {False: 401, hub.add_user("bob"): 403}
    for token, status in tokens.items():
        with pytest.raises(GatedRepoError, match="is restricted") as caught:
            HfApi(endpoint=hub.url, token=token).hf_hub_download(gated, "classes.py", repo_type="dataset")
        assert caught.value.response.status_code == status
    with pytest.raises(HfHubHTTPError) as wrong:
        HfApi(endpoint=hub.url, token=UNKNOWN).hf_hub_download(gated, "classes.py", repo_type="dataset")
    assert not isinstance(wrong.value, GatedRepoError)
    alice = HfApi(endpoint=hub.url, token=hub.add_user("alice"))
    path = Path(alice.hf_hub_download(gated, "classes.py", repo_type="dataset"))
    assert path.read_bytes() == b"x"


def test_a_process_of_its_own_finds_the_hub(hub: Hub, tmp_path: Path) -> None:
    hub.commit(NAME, FILES)
    environment = hub_environment(hub.url, tmp_path, hub.add_user("alice"))
    code = f"""
from huggingface_hub import hf_hub_download, whoami
print(whoami()["name"], hf_hub_download("{NAME}", "README.md", repo_type="dataset"))
"""
    user, path = output_of(code, environment, cwd=tmp_path).split()
    assert user == "alice"
    assert Path(path).is_relative_to(tmp_path)
