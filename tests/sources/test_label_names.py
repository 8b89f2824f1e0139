"""Names of labels in the schema of a Parquet shard."""

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fornet_hf.errors import NotFoundError, SourceError
from fornet_hf.sources import label_names


def shard(path, metadata=None):
    schema = pa.schema([("label", pa.int64())], metadata=metadata and {"huggingface": metadata})
    pq.write_table(pa.table({"label": [0]}, schema=schema), path)
    return path


def test_names_are_those_which_datasets_writes(tmp_path):
    features = datasets.Features({"label": datasets.ClassLabel(names=["apple pie", "waffles"])})
    datasets.Dataset.from_dict({"label": [0, 1]}, features=features).to_parquet(tmp_path / "a.parquet")
    assert label_names(tmp_path / "a.parquet") == ("apple pie", "waffles")


@pytest.mark.parametrize(
    "metadata",
    [None, "{}", "[]", '{"info": {"features": {"label": {"dtype": "int64", "_type": "Value"}}}}', '{"info": null}'],
)
def test_a_shard_need_not_tell(tmp_path, metadata):
    assert label_names(shard(tmp_path / "a.parquet", metadata)) is None


@pytest.mark.parametrize(
    "metadata",
    ["{", '{"info": {"features": {"label": {"names": [1]}}}}', '{"info": {"features": {"label": {"names": "a"}}}}'],
)
def test_what_cannot_be_is_an_error_which_names_the_file(tmp_path, metadata):
    with pytest.raises(SourceError, match=r"a\.parquet"):
        label_names(shard(tmp_path / "a.parquet", metadata))


def test_a_damaged_or_missing_shard_is_named(tmp_path):
    whole = shard(tmp_path / "a.parquet").read_bytes()
    for damaged in (b"PAR1 no more", whole[:-108] + b"\xff" * 100 + whole[-8:]):
        (tmp_path / "a.parquet").write_bytes(damaged)
        with pytest.raises(SourceError, match=r"a\.parquet cannot be read"):
            label_names(tmp_path / "a.parquet")
    with pytest.raises(NotFoundError, match=r"b\.parquet"):
        label_names(tmp_path / "b.parquet")
