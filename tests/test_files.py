"""Files are complete or not there."""

import hashlib

import pytest

from fornet_hf.files import atomic_path, open_local, sha256_of, write_text


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "file"
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        assert not path.exists()
        assert temporary.name.startswith(".")
    assert path.read_bytes() == b"half"
    assert list(path.parent.iterdir()) == [path]


def test_after_an_error_the_old_file_is_still_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), atomic_path(path) as temporary:
        temporary.write_bytes(b"new") + "no number"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_text_is_utf8_with_unix_line_ends(tmp_path):
    write_text(tmp_path / "file", "für\n")
    assert (tmp_path / "file").read_bytes() == "für\n".encode()


def test_digest_of_more_than_one_chunk(tmp_path):
    data = bytes(3 * 2**20 + 1)
    (tmp_path / "file").write_bytes(data)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(data).hexdigest()


def test_local_files_are_opened_for_reading_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"bytes")
    with open_local(str(tmp_path / "file")) as file:
        assert file.read() == b"bytes"
