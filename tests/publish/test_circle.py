"""The whole circle with the real clients: patches, published, loaded in a fresh process, equal to what was made."""

from __future__ import annotations

import hashlib
import json

import datasets

from fornet_hf.format.patch import apply_patch
from fornet_hf.format.shards import PatchShard
from tests.local_hub.client import hub_environment, output_of
from tests.local_hub.fixtures import uploads
from tests.publish.releases import ENCODING

pytestmark = uploads

_LOAD = """
import datasets, hashlib, io, json
if int(datasets.__version__.split(".")[0]) < 4:
    options, load = {{"trust_remote_code": True}}, datasets.load_dataset
else:
    import fornet_hf
    options, load = {{}}, fornet_hf.load_dataset
rows = load("TNauen/ForNet", split="train", imagenet_dir={imagenet!r}, **options)
found = {{}}
for row in rows.with_format("arrow").iter(1):
    row = row.to_pylist()[0]
    found[row["key"]] = [hashlib.sha256(row[part]["bytes"]).hexdigest() for part in ("background", "foreground")]
print(json.dumps(found))
"""


def expected(release):
    rows = {}
    for path in sorted(release.patches.glob("train-*.parquet")):
        shard = PatchShard(path, path.name)
        for number, key in enumerate(shard.keys):
            source = next(release.imagenet.rglob(f"{key}.JPEG")).read_bytes()
            row = apply_patch(source, shard[number], ENCODING)
            rows[key] = [hashlib.sha256(data).hexdigest() for data in (row.background, row.foreground)]
    return rows


def test_what_is_published_is_what_is_loaded(run, hub, release, tmp_path):
    assert run(release.patches) == 0
    environment = hub_environment(hub.url, tmp_path / "fresh")
    (tmp_path / "elsewhere").mkdir()
    code = _LOAD.format(imagenet=str(release.imagenet))
    found = json.loads(output_of(code, environment, cwd=tmp_path / "elsewhere"))
    assert found == expected(release)
    assert hub.asked("/resolve/.*ForNet.py") or int(datasets.__version__.split(".")[0]) >= 4
