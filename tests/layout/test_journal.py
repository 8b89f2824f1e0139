"""One run at a time writes to a folder, and removes what is not finished."""

from __future__ import annotations

import fcntl
import shutil
import threading
from pathlib import Path

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.hub.location import Folder
from fornet_hf.layout.apply import apply
from fornet_hf.layout.journal import alone_in
from fornet_hf.layout.paths import Layout
from tests.layout.conftest import IMAGES, apply_to_dataset, apply_to_zips, names


def open_files() -> str:
    """Paths of this process's files, open or mapped into its memory."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not tell which files are open")
    found = [Path("/proc/self/maps").read_text()]
    for one in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(one.readlink()))
        except FileNotFoundError:
            continue  # the listing's own
    return "\n".join(found)


@pytest.mark.parametrize("make", [apply, apply_to_zips, apply_to_dataset])
def test_no_file_is_open_in_the_folder_that_is_removed(make, release, tmp_path, monkeypatch):
    """On NFS it would stay under another name, and its folder with it."""
    remove, removed = shutil.rmtree, []

    def remove_closed(folder, *args, **kwargs):
        assert f"{folder}/" not in open_files()
        removed.append(folder)
        remove(folder, *args, **kwargs)

    monkeypatch.setattr(shutil, "rmtree", remove_closed)
    make(release, "train", IMAGES, tmp_path)
    make(release, "train", IMAGES, tmp_path)
    assert len(removed) > 1
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def test_a_run_keeps_others_out_until_its_end(tmp_path):
    layout = Layout(tmp_path, "train")
    with (
        alone_in(layout.work, layout),
        pytest.raises(ConfigurationError, match="another run"),
        alone_in(layout.work, layout),
    ):
        pass
    with alone_in(layout.work, layout):
        pass
    assert not list(tmp_path.glob(".*.lock"))


def test_a_lock_that_is_removed_before_it_is_got_is_not_taken(tmp_path, monkeypatch):
    layout, path = Layout(tmp_path, "train"), tmp_path / ".train.lock"
    take, taken = fcntl.flock, []

    def flock(file, how):
        if not taken:
            path.unlink()  # by the run before, which ends now
        taken.append(file)
        take(file, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with alone_in(layout.work, layout):
        assert len(taken) == 2
        assert path.is_file()


def test_many_runs_after_each_other_are_never_two(tmp_path):
    layout, inside, most = Layout(tmp_path, "train"), [], []

    def run():
        for _ in range(50):
            try:
                with alone_in(layout.work, layout):
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
            except ConfigurationError:
                continue

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}


@pytest.mark.parametrize("place", ["train", "train/foregrounds"])
def test_the_folder_may_be_on_another_disk(place, release, tmp_path):
    disk = Path("/dev/shm") / f"fornet-{tmp_path.name}"  # noqa: S108
    try:
        disk.mkdir()
    except OSError:
        pytest.skip("there is no second disk")
    try:
        if disk.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is no second disk")
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).symlink_to(disk)
        assert apply(release, "train", IMAGES, tmp_path).counts["ok"] == 9
    finally:
        shutil.rmtree(disk)


def test_what_a_killed_run_left_is_removed_from_class_folders(release, tmp_path):
    leftover = tmp_path / "train/foregrounds/.123.tmp"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half an image")
    apply(release, "train", IMAGES, tmp_path)
    assert not leftover.exists()


def test_a_lock_of_a_killed_run_is_taken(release, tmp_path):
    (tmp_path / ".train.lock").write_bytes(b"")
    assert apply(release, "train", Folder(IMAGES.root), tmp_path).counts["ok"] == 9
