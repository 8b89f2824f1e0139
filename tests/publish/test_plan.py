"""The plan: what is new, changed, unchanged, deleted."""

from __future__ import annotations

import hashlib

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.hub.errors import without_token
from fornet_hf.hub.listing import FileFacts
from fornet_hf.publish.contents import refuse_tokens
from fornet_hf.publish.kinds.kind import KINDS
from fornet_hf.publish.plan import local_digest, make_plan

SHA = hashlib.sha256(b"hello\n").hexdigest()
BLOB = "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object of the same


def plan(wanted, remote, **options):
    return make_plan("0" * 40, wanted, remote, **options)


@pytest.mark.parametrize("digest", [SHA, BLOB])
def test_equal_files_are_unchanged_however_the_hub_stores_them(tmp_path, digest):
    (tmp_path / "a").write_bytes(b"hello\n")
    for content in (b"hello\n", tmp_path / "a"):
        assert local_digest(content, digest) == digest
        assert plan({"a": content}, {"a": FileFacts(6, digest)}).is_empty


def test_files_of_another_size_or_digest_are_changed():
    remote = {"size": FileFacts(7, SHA), "digest": FileFacts(6, SHA[::-1])}
    found = plan({"size": b"hello\n", "digest": b"hello\n", "new": b"n"}, remote)
    assert (found.changed, found.new, found.uploads) == (
        {"size": 6, "digest": 6},
        {"new": 1},
        ["digest", "new", "size"],
    )


def test_digests_that_are_known_are_not_computed_again(tmp_path):
    (tmp_path / "a").write_bytes(b"other\n")
    found = plan({"a": tmp_path / "a"}, {"a": FileFacts(6, SHA)}, known={"a": SHA})
    assert found.is_empty


def test_only_what_releases_are_made_of_is_deleted():
    remote = dict.fromkeys(
        ("patches/a.parquet", "docs/a.md", "README.md", ".gitattributes", "train_0.zip"), FileFacts(1, BLOB)
    )
    managed = KINDS["release"].managed
    assert list(plan({}, remote, remove=managed).deleted) == ["docs/a.md", "patches/a.parquet"]
    assert "train_0.zip" in plan({}, remote, remove=["*.zip"]).deleted
    assert not {"README.md", ".gitattributes"} & set(plan({}, remote, remove=["*"]).deleted)


def test_lines_name_every_change_and_the_sums():
    lines = plan({"new": b"n"}, {"docs/old.md": FileFacts(2000, BLOB)}, remove=["docs/*"]).lines()
    assert [line.split() for line in lines] == [
        ["new", "1", "new"],
        ["deleted", "2,000", "docs/old.md"],
        ["new", "1", "files", "1", "bytes"],
        ["changed", "0", "files", "0", "bytes"],
        ["deleted", "1", "files", "2.0", "kB"],
        ["unchanged", "0", "files", "0", "bytes"],
    ]


@pytest.mark.parametrize("token", ["hf_" + "a1B2" * 9, "api_org_" + "a1B2" * 9])
def test_tokens_are_found_in_files_and_taken_out_of_messages(token):
    with pytest.raises(ConfigurationError, match=r"a\.md, line 2") as caught:
        refuse_tokens({"a.md": f"\nlogin {token}\n".encode()}, None)
    assert token not in str(caught.value)
    assert without_token(f"said {token}.", None) == "said hf_(hidden)."


def test_the_token_in_use_is_found_whatever_it_looks_like():
    with pytest.raises(ConfigurationError, match="line 1"):
        refuse_tokens({"a.md": b"my secret"}, "secret")
    assert without_token("my secret", "secret") == "my hf_(hidden)"


def test_names_of_our_code_are_no_tokens():
    refuse_tokens({"a.py": b"from fornet_hf.publish import hf_hub_download; hf_transfer"}, None)
