"""Uploads and commits by the real client, large files included."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

from tests.local_hub.errors import HubError
from tests.local_hub.fixtures import uploads
from tests.local_hub.state import Hub, Options

NAME = "TNauen/ForNet"
pytestmark = uploads


@pytest.fixture
def api(hub: Hub, hub_home: Path) -> HfApi:
    """Return the client of the owner of an empty repository."""
    hub.create_repo(NAME)
    return HfApi(endpoint=hub.url, token=hub.add_user("TNauen"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a release: two shards which go by LFS, a card and a manifest which do not."""
    release = tmp_path / "release"
    (release / "patches").mkdir(parents=True)
    (release / "README.md").write_text("---\nlicense: mit\n---\n# ForNet\n")
    (release / "patches" / "manifest.json").write_text("{}")
    (release / "patches" / "0.parquet").write_bytes(b"PAR1" + bytes(range(256)) * 40)
    (release / "patches" / "1.parquet").write_bytes(b"PAR1" + bytes(range(256)) * 50)
    return release


def upload(api: HfApi, folder: Path, **options: object) -> str:
    """Upload the folder; the commit's id."""
    return api.upload_folder(repo_id=NAME, folder_path=folder, repo_type="dataset", **options).oid


def contents_of(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_folder_arrives_whole(api: HfApi, hub: Hub, folder: Path) -> None:
    oid = upload(api, folder)
    assert oid == hub.head(NAME)
    assert hub.files(NAME) == contents_of(folder)
    assert hub.uploaded(NAME) == ["patches/0.parquet", "patches/1.parquet"]


def test_only_what_is_new_is_uploaded_again(api: HfApi, hub: Hub, folder: Path) -> None:
    upload(api, folder)
    hub.forget()
    (folder / "patches" / "1.parquet").write_bytes(b"PAR1 changed")
    upload(api, folder)
    assert hub.uploaded(NAME) == ["patches/1.parquet"]
    assert len(hub.asked("/_lfs/", "PUT")) == 1
    hub.forget()
    head = hub.head(NAME)
    assert upload(api, folder) == head
    assert (hub.uploads, hub.asked("/commit/", "POST")) == ([], [])


def test_an_object_that_no_commit_used_is_not_uploaded_twice(api: HfApi, hub: Hub, folder: Path) -> None:
    add = CommitOperationAdd("0.parquet", folder / "patches" / "0.parquet")
    api.preupload_lfs_files(NAME, additions=[add], repo_type="dataset")
    assert hub.files(NAME) == {}
    hub.forget()
    upload(api, folder)
    assert [item.sha256 for item in hub.uploads] == [hub.entries(NAME)["patches/1.parquet"].sha256]


def test_uploads_carry_no_token(api: HfApi, hub: Hub, folder: Path) -> None:
    upload(api, folder)
    assert {record.authorized for record in hub.asked("/_lfs/", "PUT")} == {False}
    assert all(record.authorized for record in hub.asked("/commit/|/preupload/|info/lfs"))


def test_a_large_object_comes_in_parts(api: HfApi, hub: Hub, folder: Path) -> None:
    hub.options = Options(part_size=11000)
    upload(api, folder)
    assert sorted(item.parts for item in hub.uploads) == [1, 2]
    assert hub.files(NAME) == contents_of(folder)


def test_files_are_added_and_deleted_in_one_commit(api: HfApi, hub: Hub) -> None:
    hub.commit(NAME, {"old.txt": b"o", "gone/a.txt": b"a", "gone/b.zip": b"b", "kept.txt": b"k"})
    operations = [
        CommitOperationAdd("new.txt", b"n"),
        CommitOperationDelete("old.txt"),
        CommitOperationDelete("gone/"),
    ]
    api.create_commit(NAME, operations, commit_message="Change", repo_type="dataset")
    assert hub.files(NAME) == {"kept.txt": b"k", "new.txt": b"n"}
    assert hub.history(NAME)[0].title == "Change"


def test_deleting_what_is_not_there_is_an_error(api: HfApi, hub: Hub) -> None:
    head = hub.head(NAME)
    with pytest.raises(EntryNotFoundError):
        api.delete_file("nothing.txt", NAME, repo_type="dataset")
    assert hub.head(NAME) == head


def test_a_stale_parent_is_refused(api: HfApi, hub: Hub) -> None:
    parent = hub.head(NAME)
    head = hub.commit(NAME, {"other.txt": b"o"})
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as caught:
        api.upload_file(
            path_or_fileobj=b"n",
            path_in_repo="n.txt",
            repo_id=NAME,
            repo_type="dataset",
            parent_commit=parent,
        )
    assert caught.value.response.status_code == 412
    assert hub.head(NAME) == head
    api.upload_file(path_or_fileobj=b"n", path_in_repo="n.txt", repo_id=NAME, repo_type="dataset", parent_commit=head)
    assert set(hub.files(NAME)) == {"n.txt", "other.txt"}


def test_a_pull_request_leaves_main_alone_until_merged(api: HfApi, hub: Hub, folder: Path) -> None:
    guest = HfApi(endpoint=hub.url, token=hub.add_user("alice"))
    done = guest.upload_folder(repo_id=NAME, folder_path=folder, repo_type="dataset", create_pr=True)
    assert (done.pr_num, done.pr_revision) == (1, "refs/pr/1")
    assert hub.files(NAME) == {}
    guest.upload_file(
        path_or_fileobj=b"m", path_in_repo="m.txt", repo_id=NAME, repo_type="dataset", revision="refs/pr/1"
    )
    wanted = {**contents_of(folder), "m.txt": b"m"}
    assert hub.files(NAME, "refs/pr/1") == wanted
    api.merge_pull_request(NAME, 1, repo_type="dataset")
    assert hub.files(NAME) == wanted
    details = api.get_discussion_details(NAME, 1, repo_type="dataset")
    assert (details.status, details.merge_commit_oid) == ("merged", hub.head(NAME))


def test_a_pull_request_is_merged_once_and_only_into_the_main_it_came_from(api: HfApi, hub: Hub) -> None:
    for name in ("a.txt", "b.txt"):
        api.upload_file(path_or_fileobj=b"n", path_in_repo=name, repo_id=NAME, repo_type="dataset", create_pr=True)
    hub.merge(NAME, 1)
    with pytest.raises(HubError, match="is merged"):
        hub.merge(NAME, 1)
    with pytest.raises(HubError, match="has conflicts"):
        hub.merge(NAME, 2)


def test_pull_requests_are_opened_and_listed(api: HfApi) -> None:
    opened = api.create_pull_request(NAME, "Patches", repo_type="dataset")
    assert opened.num == 1
    assert [pull.title for pull in api.get_repo_discussions(NAME, repo_type="dataset")] == ["Patches"]
    refs = api.list_repo_refs(NAME, repo_type="dataset", include_pull_requests=True)
    assert [pull.ref for pull in refs.pull_requests or []] == ["refs/pr/1"]


def test_guests_do_not_commit_to_main(hub: Hub, api: HfApi) -> None:
    for token in (hub.add_user("alice"), hub.add_user("TNauen", write=False)):
        guest = HfApi(endpoint=hub.url, token=token)
        with pytest.raises(HfHubHTTPError, match="403"):
            guest.upload_file(path_or_fileobj=b"n", path_in_repo="n.txt", repo_id=NAME, repo_type="dataset")
    assert hub.files(NAME) == {}


def test_a_commit_to_an_unknown_branch_is_refused(api: HfApi) -> None:
    with pytest.raises(HfHubHTTPError, match="404"):
        api.upload_file(path_or_fileobj=b"n", path_in_repo="n.txt", repo_id=NAME, repo_type="dataset", revision="no")


def test_a_card_without_header_is_remarked_upon(api: HfApi) -> None:
    with pytest.warns(UserWarning, match="empty or missing yaml metadata"):
        api.upload_file(path_or_fileobj=b"# ForNet", path_in_repo="README.md", repo_id=NAME, repo_type="dataset")


def test_ids_of_contents_are_those_of_git(hub: Hub) -> None:
    hub.commit(NAME, {"a.txt": b"hello\n", "a.zip": b"PK"})
    entries = hub.entries(NAME)
    assert entries["a.txt"].etag == "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object
    assert entries["a.zip"].etag == hashlib.sha256(b"PK").hexdigest()
