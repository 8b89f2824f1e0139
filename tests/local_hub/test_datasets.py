"""The `datasets` library against the test Hub; in other processes, as it reads its endpoint on import."""

from __future__ import annotations

import io
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.local_hub.client import hub_environment, output_of, run_python
from tests.local_hub.state import Hub

NAME = "TNauen/ForNet"
SCRIPT = b'''"""A builder of the old kind."""
import datasets


class ForNet(datasets.GeneratorBasedBuilder):
    def _info(self):
        return datasets.DatasetInfo(features=datasets.Features({"number": datasets.Value("int64")}))

    def _split_generators(self, dl_manager):
        paths = dl_manager.download(["data/0.txt", "data/1.txt"])
        return [datasets.SplitGenerator("train", gen_kwargs={"paths": paths})]

    def _generate_examples(self, paths):
        for index, path in enumerate(paths):
            with open(path) as lines:
                for row, line in enumerate(lines):
                    yield f"{index}-{row}", {"number": int(line)}
'''
# Arrow's threads may still hold a file of Python's when the interpreter ends, which aborts the process now and then.
LOAD = """
import os
from datasets import load_dataset
rows = load_dataset("TNauen/ForNet", split="train", **{options})
print(sum(row["number"] for row in rows), flush=True)
os._exit(0)
"""
needs_scripts = pytest.mark.skipif(
    int(datasets.__version__.partition(".")[0]) >= 4, reason="datasets from 4.0 on refuses scripts"
)


@pytest.fixture
def script(hub: Hub) -> None:
    """Return a repository with a script and its data."""
    hub.commit(NAME, {"ForNet.py": SCRIPT, "data/0.txt": b"1\n2\n", "data/1.txt": b"3\n4\n"})


def load(hub: Hub, tmp_path: Path, token: str | None = None, **options: object) -> str:
    """Run LOAD; return its output."""
    environment = hub_environment(hub.url, tmp_path, token)
    return output_of(LOAD.format(options=options), environment, cwd=tmp_path)


@needs_scripts
@pytest.mark.parametrize("streaming", [False, True])
def test_a_script_is_loaded(hub: Hub, script: None, tmp_path: Path, streaming: bool) -> None:
    assert load(hub, tmp_path, trust_remote_code=True, streaming=streaming) == "10"


@needs_scripts
def test_a_gated_script_is_refused_without_access(hub: Hub, script: None, tmp_path: Path) -> None:
    hub.gate(NAME, allow={"alice"})
    code = LOAD.format(options={"trust_remote_code": True})
    for token, text in (
        (None, "gated dataset on the Hub. You must be authenticated"),
        (hub.add_user("bob"), "ask for access"),
    ):
        refused = run_python(code, hub_environment(hub.url, tmp_path, token), cwd=tmp_path)
        assert refused.returncode == 1
        assert text in refused.stderr
    assert load(hub, tmp_path, hub.add_user("alice"), trust_remote_code=True) == "10"


@pytest.mark.parametrize("streaming", [False, True])
def test_parquet_is_loaded(hub: Hub, tmp_path: Path, streaming: bool) -> None:
    shards = {}
    for index in range(2):
        shard = io.BytesIO()
        pq.write_table(pa.table({"number": [index, 10 + index]}), shard)
        shards[f"data/train-{index:05d}-of-00002.parquet"] = shard.getvalue()
    hub.commit(NAME, shards)
    assert load(hub, tmp_path, streaming=streaming) == "22"
    if streaming:
        assert {record.status for record in hub.asked(r"\.parquet", "GET")} == {206}
