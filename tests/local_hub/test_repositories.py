"""Repositories as the real client creates, describes and lists them."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.local_hub.state import Hub, Options

NAME = "TNauen/ForNet"
UNKNOWN = "hf_wrong"
FILES = {"README.md": b"---\n---\n", "data/a.zip": b"aaaa", "data/deep/b.txt": b"bb", "ForNet.py": b"x = 1\n"}


@pytest.fixture
def api(hub: Hub, hub_home: Path) -> HfApi:
    """Return the client of the repository's owner."""
    return HfApi(endpoint=hub.url, token=hub.add_user("TNauen"))


def test_a_token_names_its_user(api: HfApi) -> None:
    assert api.whoami()["name"] == "TNauen"


def test_an_unknown_token_is_refused_everywhere(hub: Hub, hub_home: Path) -> None:
    hub.commit(NAME, FILES)
    api = HfApi(endpoint=hub.url, token=UNKNOWN)
    for call in (api.whoami, lambda: api.dataset_info(NAME)):
        with pytest.raises(OSError, match="Invalid") as caught:
            call()
        assert caught.value.response.status_code == 401
        assert not isinstance(caught.value, RepositoryNotFoundError)


def test_a_repository_is_created_once(api: HfApi, hub: Hub) -> None:
    first = api.create_repo(NAME, repo_type="dataset")
    assert api.create_repo(NAME, repo_type="dataset", exist_ok=True) == first
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo(NAME, repo_type="dataset")
    assert str(first) == f"{hub.url}/datasets/{NAME}"
    assert api.list_repo_files(NAME, repo_type="dataset") == [".gitattributes"]


def test_models_and_spaces_have_addresses_of_their_own(api: HfApi, hub: Hub) -> None:
    assert str(api.create_repo(NAME)) == f"{hub.url}/{NAME}"
    assert str(api.create_repo(NAME, repo_type="space", space_sdk="gradio")) == f"{hub.url}/spaces/{NAME}"
    for kind in ("model", "space"):
        assert api.repo_info(NAME, repo_type=kind).sha == hub.head(NAME, kind=f"{kind}s")
    assert not api.repo_exists(NAME, repo_type="dataset")


def test_nobody_creates_repositories_of_others(api: HfApi) -> None:
    with pytest.raises(HfHubHTTPError, match="403"):
        api.create_repo("somebody/else", repo_type="dataset")


def test_a_read_token_creates_nothing(hub: Hub, hub_home: Path) -> None:
    api = HfApi(endpoint=hub.url, token=hub.add_user("TNauen", write=False))
    with pytest.raises(HfHubHTTPError, match="write token"):
        api.create_repo(NAME, repo_type="dataset")


def test_a_private_repository_is_missing_for_others(api: HfApi, hub: Hub) -> None:
    api.create_repo(NAME, repo_type="dataset", private=True)
    assert api.dataset_info(NAME).private
    for token, status in ((hub.add_user("alice"), 404), (False, 401)):
        with pytest.raises(RepositoryNotFoundError) as caught:
            HfApi(endpoint=hub.url, token=token).dataset_info(NAME)
        assert caught.value.response.status_code == status


def test_a_repository_is_deleted(api: HfApi, hub: Hub) -> None:
    hub.commit(NAME, FILES)
    api.delete_repo(NAME, repo_type="dataset")
    assert not api.repo_exists(NAME, repo_type="dataset")


def test_the_information_names_head_and_files(api: HfApi, hub: Hub) -> None:
    head = hub.commit(NAME, FILES)
    info = api.dataset_info(NAME, files_metadata=True)
    assert (info.sha, info.private, info.gated) == (head, False, False)
    assert info.last_modified is not None
    sizes = {sibling.rfilename: sibling.size for sibling in info.siblings or []}
    assert sizes["data/a.zip"] == 4
    large = {sibling.rfilename for sibling in info.siblings or [] if sibling.lfs}
    assert large == {"data/a.zip"}


def test_revisions_are_branches_tags_and_commits(api: HfApi, hub: Hub) -> None:
    old = hub.commit(NAME, {"a.txt": b"old"})
    api.create_tag(NAME, tag="v1", repo_type="dataset")
    api.create_branch(NAME, branch="next", repo_type="dataset")
    new = hub.commit(NAME, {"a.txt": b"new"})
    shas = {r: api.dataset_info(NAME, revision=r).sha for r in ("main", "v1", "next", old, old[:8])}
    assert shas == {"main": new, "v1": old, "next": old, old: old, old[:8]: old}
    with pytest.raises(RevisionNotFoundError):
        api.dataset_info(NAME, revision="nowhere")


def test_refs_are_listed_and_removed(api: HfApi, hub: Hub) -> None:
    head = hub.commit(NAME, FILES)
    api.create_tag(NAME, tag="v1", repo_type="dataset")
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_tag(NAME, tag="v1", repo_type="dataset")
    api.create_tag(NAME, tag="v1", repo_type="dataset", exist_ok=True)
    refs = api.list_repo_refs(NAME, repo_type="dataset")
    assert [(tag.name, tag.ref, tag.target_commit) for tag in refs.tags] == [("v1", "refs/tags/v1", head)]
    assert [branch.name for branch in refs.branches] == ["main"]
    api.delete_tag(NAME, tag="v1", repo_type="dataset")
    assert api.list_repo_refs(NAME, repo_type="dataset").tags == []


def test_commits_are_listed_newest_first(api: HfApi, hub: Hub) -> None:
    hub.commit(NAME, FILES, title="one")
    hub.commit(NAME, {"new.txt": b"n"}, title="two")
    listed = api.list_repo_commits(NAME, repo_type="dataset")
    assert [commit.title for commit in listed] == ["two", "one", "initial commit"]
    assert listed[0].commit_id == hub.head(NAME)


def test_a_tree_comes_in_pages(api: HfApi, hub: Hub) -> None:
    hub.commit(NAME, FILES)
    hub.options = Options(page_size=2)
    tree = [item.path for item in api.list_repo_tree(NAME, recursive=True, repo_type="dataset")]
    assert tree == sorted([*FILES, ".gitattributes", "data", "data/deep"])
    assert len(hub.asked("/tree/main")) == 4
    top = [item.path for item in api.list_repo_tree(NAME, "data", repo_type="dataset")]
    assert top == ["data/a.zip", "data/deep"]


def test_a_tree_knows_the_last_commit_of_each_file(api: HfApi, hub: Hub) -> None:
    old = hub.commit(NAME, FILES)
    new = hub.commit(NAME, {"data/a.zip": b"other"})
    items = api.list_repo_tree(NAME, recursive=True, expand=True, repo_type="dataset")
    last = {item.path: item.last_commit.oid for item in items if item.last_commit is not None}
    assert (last["data/a.zip"], last["data"], last["README.md"]) == (new, new, old)


def test_paths_info_leaves_out_what_is_missing(api: HfApi, hub: Hub) -> None:
    hub.commit(NAME, FILES)
    found = api.get_paths_info(NAME, ["data/a.zip", "data", "nothing"], repo_type="dataset")
    assert [item.path for item in found] == ["data/a.zip", "data"]
    assert found[0].lfs.sha256 == hub.entries(NAME)["data/a.zip"].sha256


def test_access_can_be_asked_for_and_changed(api: HfApi, hub: Hub) -> None:
    hub.commit(NAME, FILES)
    alice = HfApi(endpoint=hub.url, token=hub.add_user("alice"))
    alice.auth_check(NAME, repo_type="dataset")
    api.update_repo_settings(NAME, gated="manual", repo_type="dataset")
    with pytest.raises(GatedRepoError):
        alice.auth_check(NAME, repo_type="dataset")


def test_the_log_tells_of_tokens_without_keeping_them(api: HfApi, hub: Hub) -> None:
    api.whoami()
    HfApi(endpoint=hub.url, token=False).repo_exists(NAME)
    assert [record.authorized for record in hub.requests[-2:]] == [True, False]
    assert "hf_TNauen" not in repr(hub.requests)
