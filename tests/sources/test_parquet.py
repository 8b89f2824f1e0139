"""Images, and names of their labels, in Parquet shards."""

import io

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError
from fornet_hf.sources import SourceImage, iter_images, keys_in_shard, label_names, shard_files

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
TENCH = "n01440764_{0}_n01440764.JPEG"


def jpeg(grey: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (grey,) * 3).save(buffer, "JPEG")
    return buffer.getvalue()


def row(number: int) -> dict:
    return {"bytes": jpeg(number), "path": TENCH.format(number)}


def write(path, images, labels=None, image_type=IMAGE, label_type=None, **options):
    labels = [0] * len(images) if labels is None else labels
    table = {"image": pa.array(images, image_type), "label": pa.array(labels, label_type or pa.int64())}
    pq.write_table(pa.table(table), path, **options)
    return path


def read(path, **options):
    return list(iter_images(path, name=path.name, **options))


@pytest.mark.parametrize("batch_rows", [1, 3, 64])
def test_images_come_in_row_order_with_untouched_bytes(tmp_path, batch_rows):
    path = write(tmp_path / "a.parquet", [row(n) for n in range(10)], list(range(10)), row_group_size=4)
    expected = [SourceImage(f"n01440764_{n}", n, jpeg(n), f"a.parquet:{n}") for n in range(10)]
    assert read(path, batch_rows=batch_rows) == expected


def test_file_objects_are_read_and_left_open(tmp_path):
    path = write(tmp_path / "a.parquet", [row(1)])
    with path.open("rb") as file:
        assert [image.key for image in iter_images(file, name="a")] == ["n01440764_1"]
        assert not file.closed


def test_minus_one_and_null_are_no_label(tmp_path):
    path = write(tmp_path / "a.parquet", [row(1), row(2)], [-1, None])
    assert [image.label for image in read(path)] == [None, None]


def test_other_columns_and_large_types_are_allowed(tmp_path):
    large = pa.struct([("path", pa.large_string()), ("bytes", pa.large_binary())])
    table = pa.table({"id": ["x"], "image": pa.array([row(1)], large), "label": pa.array([3], pa.int64())})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == [SourceImage("n01440764_1", 3, jpeg(1), "a.parquet:0")]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "no image bytes"),
        ({"bytes": None, "path": TENCH.format(5)}, "no image bytes"),
        ({"bytes": b"", "path": TENCH.format(5)}, "no image bytes"),
        ({"bytes": b"x", "path": None}, "no path"),
        ({"bytes": b"x", "path": ""}, "no path"),
    ],
)
def test_incomplete_rows_are_named(tmp_path, image, message):
    path = write(tmp_path / "a.parquet", [row(0), row(1), image])
    with pytest.raises(SourceError, match=rf"^a\.parquet:2: .*{message}"):
        read(path, batch_rows=2)


def test_path_that_is_not_utf8_is_named(tmp_path):
    struct = pa.StructArray.from_arrays(
        [pa.array([b"x"]), pa.array([b"\xff.JPEG"]).view(pa.string())], ["bytes", "path"]
    )
    pq.write_table(pa.table({"image": struct, "label": pa.array([0], pa.int64())}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match=r"^a\.parquet:0: .*UTF-8"):
        read(tmp_path / "a.parquet")


def test_impossible_label_is_named(tmp_path):
    path = write(tmp_path / "a.parquet", [row(1)], [-2])
    with pytest.raises(SourceError, match=r"^a\.parquet:0: label; found -2"):
        read(path)


@pytest.mark.parametrize(
    ("image_type", "images", "label_type", "message"),
    [
        (pa.binary(), [b"x"], pa.int64(), "column 'image'; found binary"),
        (pa.struct([("path", pa.string())]), [{"path": "x"}], pa.int64(), "column 'image'; found struct"),
        (
            pa.struct([("bytes", pa.string()), ("path", pa.string())]),
            [None],
            pa.int64(),
            "column 'image'; found struct",
        ),
        (IMAGE, [None], pa.float32(), "column 'label'; found float"),
    ],
)
def test_other_schemas_are_refused(tmp_path, image_type, images, label_type, message):
    path = write(tmp_path / "a.parquet", images, None, image_type, label_type)
    with pytest.raises(SourceError, match=rf"^a\.parquet, {message}"):
        read(path)


@pytest.mark.parametrize(
    "image_type",
    [IMAGE, pa.struct([("bytes", pa.binary())]), pa.struct([("bytes", pa.binary()), ("path", pa.null())])],
)
def test_images_without_paths_have_their_rows_as_keys(tmp_path, image_type):
    images = [{name: value for name, value in row(n).items() if name == "bytes"} for n in range(3)]
    path = write(tmp_path / "train-00002-of-00003.parquet", images, image_type=image_type)
    assert keys_in_shard(path, name=path.name) == [None] * 3
    found = read(path, by_row=True, batch_rows=2)
    assert [(one.key, one.data) for one in found] == [(f"train-00002-{n:06}", jpeg(n)) for n in range(3)]


def test_keys_of_a_shard_are_those_of_its_images(tmp_path):
    path = write(tmp_path / "a.parquet", [row(1), None, {"bytes": b"x", "path": ""}])
    assert keys_in_shard(path, name="a") == ["n01440764_1", None, None]


def test_missing_column_is_named(tmp_path):
    pq.write_table(pa.table({"img": [b"x"], "label": [1]}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match=r"lacks columns; found \['img', 'label'\]"):
        read(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-20], lambda b: b[:10], lambda b: b"", lambda b: b[:4] + bytes(4000) + b[4004:]]
)
def test_damaged_file_is_named(tmp_path, damage):
    path = write(tmp_path / "a.parquet", [row(n) for n in range(40)], use_dictionary=False)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SourceError, match=r"^a\.parquet cannot be read as Parquet"):
        read(path)


def test_missing_file_and_wrong_batch_are_refused(tmp_path):
    with pytest.raises(NotFoundError, match=r"no Parquet file a\.parquet"):
        read(tmp_path / "a.parquet")
    with pytest.raises(ConfigurationError, match="batch_rows"):
        read(tmp_path / "a.parquet", batch_rows=0)


def test_failing_disk_is_not_called_a_damaged_file(tmp_path):
    class Failing(io.BytesIO):
        def read(self, *_):
            raise OSError(5, "Input/output error")

    content = write(tmp_path / "a.parquet", [row(1)]).read_bytes()
    with pytest.raises(OSError, match="Input/output error") as caught:
        list(iter_images(Failing(content), name="a"))
    assert not isinstance(caught.value, SourceError)


def touch(folder, split, indices, count):
    folder.mkdir(parents=True, exist_ok=True)
    for index in indices:
        (folder / f"{split}-{index:05}-of-{count:05}.parquet").touch()


@pytest.mark.parametrize("place", ["data", "."])
def test_shards_are_found_in_order(tmp_path, place):
    touch(tmp_path / place, "train", range(12), 12)
    touch(tmp_path / place, "validation", range(2), 2)
    assert [path.name[:11] for path in shard_files(tmp_path, "train")] == [f"train-{n:05}" for n in range(12)]
    assert [path.name for path in shard_files(tmp_path, "val")] == [
        "validation-00000-of-00002.parquet",
        "validation-00001-of-00002.parquet",
    ]


def test_missing_shards_are_named(tmp_path):
    touch(tmp_path / "data", "train", [0, 2, 3], 5)
    with pytest.raises(NotFoundError, match=r"2 of 5 .*train-00001-of-00005\.parquet, train-00004-of-00005\.parquet"):
        shard_files(tmp_path, "train")


@pytest.mark.parametrize(
    ("split", "index", "count", "message"),
    [("train", 0, 3, "several sets"), ("train", 2, 2, "beyond 00002")],
)
def test_shards_of_another_conversion_are_refused(tmp_path, split, index, count, message):
    touch(tmp_path, "train", range(2), 2)
    touch(tmp_path, split, [index], count)
    with pytest.raises(SourceError, match=message):
        shard_files(tmp_path, "train")


def test_no_shards_says_what_is_expected(tmp_path):
    with pytest.raises(NotFoundError, match=r"data.validation-00000-of-NNNNN\.parquet"):
        shard_files(tmp_path / "nowhere", "validation")


def labelled(path, metadata=None):
    schema = pa.schema([("label", pa.int64())], metadata=metadata and {"huggingface": metadata})
    pq.write_table(pa.table({"label": [0]}, schema=schema), path)
    return path


def test_names_of_labels_are_those_which_datasets_writes(tmp_path):
    features = datasets.Features({"label": datasets.ClassLabel(names=["apple pie", "waffles"])})
    datasets.Dataset.from_dict({"label": [0, 1]}, features=features).to_parquet(tmp_path / "a.parquet")
    assert label_names(tmp_path / "a.parquet") == ("apple pie", "waffles")


@pytest.mark.parametrize(
    "metadata",
    [None, "{}", "[]", '{"info": {"features": {"label": {"dtype": "int64", "_type": "Value"}}}}', '{"info": null}'],
)
def test_a_shard_need_not_name_its_labels(tmp_path, metadata):
    assert label_names(labelled(tmp_path / "a.parquet", metadata)) is None


@pytest.mark.parametrize(
    "metadata",
    ["{", '{"info": {"features": {"label": {"names": [1]}}}}', '{"info": {"features": {"label": {"names": "a"}}}}'],
)
def test_names_of_labels_that_cannot_be_are_an_error_which_names_the_file(tmp_path, metadata):
    with pytest.raises(SourceError, match=r"a\.parquet"):
        label_names(labelled(tmp_path / "a.parquet", metadata))


def test_labels_of_a_damaged_or_missing_shard_name_it(tmp_path):
    whole = labelled(tmp_path / "a.parquet").read_bytes()
    for damaged in (b"PAR1 no more", whole[:-108] + b"\xff" * 100 + whole[-8:]):
        (tmp_path / "a.parquet").write_bytes(damaged)
        with pytest.raises(SourceError, match=r"a\.parquet cannot be read"):
            label_names(tmp_path / "a.parquet")
    with pytest.raises(NotFoundError, match=r"b\.parquet"):
        label_names(tmp_path / "b.parquet")
