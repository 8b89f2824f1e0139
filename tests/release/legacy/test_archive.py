"""One zip of patches: what its index holds, and which zips are refused."""

import gzip
import io
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from fornet_hf.errors import NotFoundError, PatchFormatError
from fornet_hf.release.legacy import LegacyArchive

PATCH = pickle.dumps({"bg_diff": np.ones((2, 2, 3), dtype=np.int64)})
SOUND = "train/n01/n01_7.pkl"


def zipped(*members, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for member in members:
            archive.writestr(member, b"" if member.endswith("/") else PATCH)
    return file


def written(path, data):
    path.write_bytes(data)
    return path


def test_members_are_found_by_class_and_stem(tmp_path):
    path = written(tmp_path / "t.zip", zipped("a/", "a/b/n01/n01_7.pkl", "n02/n02_8.pkl").getvalue())
    with LegacyArchive(path) as archive:
        assert archive.keys() == [("n01", "n01_7"), ("n02", "n02_8")]
        assert len(archive) == 2
        assert ("n02", "n02_8") in archive
        assert archive.read(("n02", "n02_8")).difference.shape == (2, 2, 3)
        with pytest.raises(NotFoundError, match=r"t\.zip.*n09/n09_1"):
            archive.read(("n09", "n09_1"))


def test_packed_members_and_file_objects_work():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("val/n01/V_1.pkl.gz", gzip.compress(PATCH))
    with LegacyArchive(file, name="val.zip") as archive:
        assert archive.keys() == [("n01", "V_1")]
        assert archive.read(("n01", "V_1")).mask is None
    assert not file.closed


@pytest.mark.parametrize(
    ("member", "what"),
    [
        ("../n01/n01_7.pkl", "path is not safe"),
        ("train/../../n01/n01_7.pkl", "path is not safe"),
        ("/etc/n01_7.pkl", "path is not safe"),
        ("C:/n01/n01_7.pkl", "path is not safe"),
        ("n01\\..\\n01_7.pkl", "path is not safe"),
        ("./n01/n01_7.pkl", "path is not safe"),
        ("n01//n01_7.pkl", "path is not safe"),
        ("n01/n01_7.npz", "no patch"),
        ("n01/n01_7.pkl.exe", "no patch"),
        ("__MACOSX/.DS_Store", "no patch"),
        ("n01_7.pkl", "a member's path"),
        ("n01/.pkl", "a member's path"),
    ],
)
def test_a_member_with_a_wrong_name_is_named(member, what, tmp_path):
    path = written(tmp_path / "t.zip", zipped(SOUND, member).getvalue())
    with pytest.raises(PatchFormatError) as error:
        LegacyArchive(path)
    assert what in str(error.value)
    assert repr(member) in str(error.value)
    assert str(path) in str(error.value)


def test_a_name_cut_by_a_null_byte_is_refused():
    data = zipped("n01/n01_7.pkl_rest.pkl").getvalue().replace(b"n01_7.pkl_rest", b"n01_7.pkl\0rest")
    with pytest.raises(PatchFormatError, match=r"path is not safe.*x00rest"):
        LegacyArchive(io.BytesIO(data))


def test_two_patches_of_one_image_are_refused():
    with pytest.raises(PatchFormatError, match=r"t\.zip: two patches.*'a/n01/n01_7.pkl' and 'b/n01/n01_7.pkl.gz'"):
        LegacyArchive(zipped("a/n01/n01_7.pkl", "b/n01/n01_7.pkl.gz"), name="t.zip")


def patched_directory(data: bytes, offset: int, value: bytes) -> io.BytesIO:
    """The zip with bytes changed in the entry of its first member in the central directory."""
    start = data.index(b"PK\x01\x02") + offset
    return io.BytesIO(data[:start] + value + data[start + len(value) :])


def test_an_encrypted_member_is_named():
    file = patched_directory(zipped(SOUND).getvalue(), 8, b"\x01\x00")
    with pytest.raises(PatchFormatError, match=rf"t\.zip: a member is encrypted.*{SOUND}"):
        LegacyArchive(file, name="t.zip")


def test_another_compression_is_named():
    with pytest.raises(PatchFormatError, match=rf"t\.zip: a member's compression.*{SOUND}' with method 14"):
        LegacyArchive(zipped(SOUND, compression=zipfile.ZIP_LZMA), name="t.zip")


def test_a_declared_zip_bomb_is_refused_at_opening():
    file = patched_directory(zipped(SOUND).getvalue(), 24, struct.pack("<I", 2**31))
    with pytest.raises(PatchFormatError, match=rf"t\.zip: a member is too large.*{SOUND}' with {2**31} bytes"):
        LegacyArchive(file, name="t.zip")


def test_a_member_is_not_read_beyond_what_it_declares():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(SOUND, bytes(2**24))
    lying = patched_directory(file.getvalue(), 24, struct.pack("<I", 1000))
    with LegacyArchive(lying, name="t.zip", max_bytes=2**16) as archive:
        tracemalloc.start()
        try:
            with pytest.raises(PatchFormatError, match=rf"t\.zip: {SOUND}"):
                archive.read(("n01", "n01_7"))
            assert tracemalloc.get_traced_memory()[1] < 2**20
        finally:
            tracemalloc.stop()


def test_a_gzip_bomb_inside_is_named():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("n01/n01_7.pkl.gz", gzip.compress(bytes(2**24)))
    with (
        LegacyArchive(file, name="t.zip", max_bytes=2**16) as archive,
        pytest.raises(PatchFormatError, match=r"t\.zip: n01/n01_7.pkl.gz: the patch is too large"),
    ):
        archive.read(("n01", "n01_7"))


def test_code_inside_is_named_and_not_run(tmp_path):
    marker = tmp_path / "ran"
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr(
            SOUND, b"cos\nsystem\n(X" + struct.pack("<I", len(f"touch {marker}")) + f"touch {marker}tR.".encode()
        )
    with (
        LegacyArchive(tmp_path / "t.zip") as archive,
        pytest.raises(PatchFormatError, match=rf"t\.zip: {SOUND}: .*os\.system"),
    ):
        archive.read(("n01", "n01_7"))
    assert not marker.exists()


def test_a_flipped_byte_is_named():
    data = bytearray(zipped(SOUND).getvalue())
    data[data.index(PATCH) + len(PATCH) // 2] ^= 1
    with (
        LegacyArchive(io.BytesIO(data), name="t.zip") as archive,
        pytest.raises(PatchFormatError, match=rf"t\.zip: {SOUND}: the zip is damaged.*CRC"),
    ):
        archive.read(("n01", "n01_7"))


@pytest.mark.parametrize("data", [b"", b"<html>no access</html>", zipped(SOUND).getvalue()[:-30]])
def test_what_is_no_zip_is_named(data, tmp_path):
    with pytest.raises(PatchFormatError, match=r"t\.zip: the zip is damaged"):
        LegacyArchive(written(tmp_path / "t.zip", data))


def test_a_missing_zip_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"t\.zip"):
        LegacyArchive(tmp_path / "t.zip")
