"""Rows of a preview whose images are gone: what is known of them without."""

from dataclasses import replace

import numpy as np
import pytest

from fornet_hf.format.encoding import Encoding
from fornet_hf.format.patch import make_patch
from fornet_hf.sources import Columns
from producers.tasks.candidate_shards import CandidatePatch
from producers.views.row import OBJECT, row_of
from producers.views.shown import Sources, Versions


@pytest.fixture
def patch(dahlia, photos):
    import io

    raster, disc = dahlia
    buffer = io.BytesIO()
    photos["n11939491"].image.save(buffer, "JPEG")
    return make_patch(buffer.getvalue(), disc, np.zeros_like(raster), key="a", label=5, encoding=Encoding())


@pytest.mark.parametrize(
    ("share", "said"), [(0.256, "26%"), (0.0812, "8.1%"), (0.001, "0.1%"), (0.0004, "less than 0.1%")]
)
def test_the_share_of_an_object_is_never_nothing(patch, tmp_path, share, said):
    candidate = CandidatePatch(replace(patch, foreground_ratio=share), 0, "a flower.", 0.5)
    row = row_of(Versions("train", (candidate,), Encoding()), Sources(tmp_path, Columns()))
    assert row.trouble
    (version,) = row.versions
    assert [note.text for note in version[OBJECT].notes] == ["a flower.", f"0.50, {said} of the image"]
