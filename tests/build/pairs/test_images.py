"""Images of one class."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.sources import Columns
from producers.pairs.images import Reader, Row, images_of_class
from tests.images import file_of, made_image


def shard(root, labels, *, names=None, of="train-00000-of-00001"):
    """Rows whose images are 20 pixels wide, and one more for each row before."""
    root.mkdir(exist_ok=True)
    rows = [
        {"picture": {"bytes": file_of(made_image(20 + n, 16, seed=n)), "path": f"{n}.jpg"}, "kind": label}
        for n, label in enumerate(labels)
    ]
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.Table.from_pylist(rows, pa.schema([("picture", picture), ("kind", pa.int64())]))
    features = {"picture": {"_type": "Image"}, "kind": {"_type": "ClassLabel", **({"names": names} if names else {})}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(metadata), root / f"{of}.parquet", row_group_size=2)


def widths(images):
    reader = Reader()
    return [Image.open(io.BytesIO(reader.read(place))).width for place in images.places]


def test_rows_of_a_class_are_those_with_its_label(tmp_path):
    shard(tmp_path, [1, 0, 1, 2, 1], names=["ant", "bee", "cow"])
    found = images_of_class(tmp_path, "bee", "all", Columns())
    assert found.keys() == ["0", "2", "4"]
    assert found.splits == ("train",) * 3
    assert found.places[1] == Row(tmp_path / "train-00000-of-00001.parquet", "picture", 2)
    assert widths(found) == [20, 22, 24]
    with pytest.raises(ConfigurationError, match="there is no such class; found 'bees'"):
        images_of_class(tmp_path, "bees", "all", Columns())


def test_classes_of_imagenet_have_names_and_wnids(tmp_path):
    shard(tmp_path, [0, 7, 1, 7])
    found = images_of_class(tmp_path, "n01514668", "train", Columns())  # the cock
    assert widths(found) == [21, 23]
    for wnid in ("n01440764", "n01514668"):
        (tmp_path / "folder" / "train" / wnid).mkdir(parents=True)
        (tmp_path / "folder" / "train" / wnid / f"{wnid}_1.JPEG").write_bytes(file_of(made_image(20, 20, seed=1)))
    found = images_of_class(tmp_path / "folder", "n01514668", "all", Columns())
    assert [path.parent.name for path in found.places] == ["n01514668"]
