"""Files are complete or not there."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fornet_hf.errors import StorageError
from fornet_hf.files import (
    atomic_path,
    clear_leftovers,
    open_local,
    readable_bytes,
    sha256_of,
    whole_path,
    write_text,
)


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "file"
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        assert not path.exists()
        assert temporary.name.startswith(".")
    assert path.read_bytes() == b"half"
    assert list(path.parent.iterdir()) == [path]


def test_one_of_many_files_is_whole_and_what_a_killed_process_left_is_used_again(tmp_path):
    path = tmp_path / "new" / "file"
    with pytest.raises(TypeError), whole_path(path) as temporary:
        temporary.write_bytes(b"half") + "no number"
    assert not path.exists()
    with whole_path(path) as temporary:
        temporary.write_bytes(b"all")
    assert path.read_bytes() == b"all"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_file_that_a_library_wrote_for_its_owner_is_as_readable_as_others(tmp_path):
    """So does safetensors, by a temporary file of its own."""
    (tmp_path / "plain").touch()
    with atomic_path(tmp_path / "file") as temporary:
        temporary.chmod(0o600)
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_after_an_error_the_old_file_is_still_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), atomic_path(path) as temporary:
        temporary.write_bytes(b"new") + "no number"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def half_written(path):
    """The temporary file of a process that is killed while it writes."""
    code = f"""
import os, pathlib, signal
from fornet_hf.errors import StorageError
from fornet_hf.files import atomic_path
with atomic_path(pathlib.Path({str(path)!r})) as temporary:
    temporary.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == -signal.SIGKILL
    (left,) = (one for one in path.parent.iterdir() if one.name.startswith(f".{path.name}."))
    return left


def test_what_a_killed_process_left_is_deleted(tmp_path):
    path = tmp_path / "file[1]"
    left = half_written(path)
    other = half_written(tmp_path / "file")
    write_text(path, "whole")
    assert not left.exists()
    assert other.exists()
    clear_leftovers(tmp_path / "file")
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_being_written_elsewhere_is_left_alone(tmp_path):
    path = tmp_path / "file"
    with atomic_path(path) as slow:
        slow.write_text("slow")
        with atomic_path(path) as fast:
            fast.write_text("fast")
        assert path.read_text() == "fast"
    assert path.read_text() == "slow"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("why", ["system", "file system"])
def test_without_locks_nothing_is_deleted_and_files_are_written_as_ever(why, tmp_path, monkeypatch):
    path = tmp_path / "file"
    left = half_written(path)
    if why == "system":
        monkeypatch.setitem(sys.modules, "fcntl", None)
    else:
        monkeypatch.setattr("fcntl.flock", lambda *_: raise_(OSError(errno.ENOLCK, "no locks")))
    write_text(path, "text")
    assert path.read_text() == "text"
    assert set(tmp_path.iterdir()) == {path, left}


def raise_(error):
    raise error


def test_many_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    code = f"""
import pathlib
from fornet_hf.files import write_text
for _ in range(200):
    write_text(pathlib.Path({str(tmp_path / "file")!r}), "text")
"""
    root = Path(__file__).parents[1]
    writers = [subprocess.Popen([sys.executable, "-c", code], cwd=root) for _ in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


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


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "the disk is full"), (errno.EROFS, "this cannot be written")],
)
def test_a_disk_that_takes_no_more_is_named(tmp_path, number, words):
    with pytest.raises(StorageError, match=rf"{words}; found .*/file \("), atomic_path(tmp_path / "file"):
        raise OSError(number, os.strerror(number))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_must_not_be_made_is_named(tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match=r"this cannot be written; found .*/new \(Permission denied\)"):
        write_text(tmp_path / "new" / "file", "text")


def test_what_must_not_be_read_meanwhile_is_not_taken_for_it(tmp_path):
    with pytest.raises(PermissionError) as caught, atomic_path(tmp_path / "file"):
        raise PermissionError(errno.EACCES, "Permission denied", "/elsewhere/image.JPEG")
    assert not isinstance(caught.value, StorageError)


@pytest.mark.parametrize(("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (24e9, "24.0 GB")])
def test_bytes_are_readable(size, text):
    assert readable_bytes(size) == text
