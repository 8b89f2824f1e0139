"""Golden patches decode for ever.

If one fails, the code is wrong, or the format has changed: then it needs a new version number and a new folder
(`python -m tests.golden.make`). No folder is ever edited or removed.
"""

import hashlib
import json

import pytest

from fornet_hf.format.manifest import read_manifest
from tests.golden import make

# The digest of expected.json stands here, so that folder and expectation cannot be replaced together unseen.
VERSIONS = {"v1": "ad9ca186429528795dd6141938278d604bb87ee35f6520bf5819e048dbbaa15d"}


@pytest.mark.parametrize("version", VERSIONS)
def test_golden_patches_give_the_rows_they_always_gave(version):
    folder = make.FOLDER / version
    text = (folder / "expected.json").read_bytes()
    assert hashlib.sha256(text).hexdigest() == VERSIONS[version]
    rows = make.rows(folder, read_manifest(folder))
    assert [make.described(row) for row in rows] == json.loads(text)
    assert len(rows) == 9


def test_every_folder_is_tested():
    assert {path.name for path in make.FOLDER.iterdir()} == set(VERSIONS)


def test_goldens_are_small():
    assert sum(path.stat().st_size for path in make.FOLDER.rglob("*") if path.is_file()) < 200_000


def test_an_existing_folder_is_never_overwritten():
    with pytest.raises(FileExistsError):
        make.make("v1")
