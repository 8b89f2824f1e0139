"""What happens to pictures with which models fail."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from fornet_hf.encoding import Encoding
from producers.backends import Backends, Identity, Query
from producers.boxes import CentredBox
from producers.gpu_shard import Engine, search_kindly
from producers.grabcut import GrabCut
from producers.inpaint import OpenCVInpaint
from producers.pools import InlineExecutor
from producers.report import Report


class OutOfMemoryError(RuntimeError):
    """Named like torch's."""


@dataclass
class Fails:
    """A detector that fails with some pictures, alone or together with others."""

    error: Exception
    keys: tuple[str, ...]
    asked: list[int] = field(default_factory=list)

    @property
    def identity(self):
        return Identity(name="fails", model="none", revision="1")

    def detect(self, queries):
        self.asked.append(len(queries))
        if any(query.key in self.keys for query in queries):
            raise self.error
        return CentredBox().detect(queries)


def search(detector, keys="abcd"):
    rng = np.random.default_rng(0)
    raster = np.full((60, 80, 3), 200, np.uint8)
    raster[20:40, 20:60] = rng.integers(0, 99, (20, 40, 3))
    engine = Engine(
        backends=Backends(detector=detector, segmenter=GrabCut(), infiller=OpenCVInpaint()),
        pool=InlineExecutor(),
        encoding=Encoding(),
    )
    return search_kindly([Query(key=key, raster=raster, prompts=("a cat.",)) for key in keys], engine, Report())


@pytest.mark.parametrize("error", [OutOfMemoryError("2 GiB"), ValueError("odd"), ZeroDivisionError("flat")])
def test_a_picture_with_which_models_fail_does_not_take_the_others_along(error):
    outcomes = search(Fails(error, ("b",)))
    assert [isinstance(one, tuple) for one in outcomes] == [True, False, True, True]
    assert (outcomes[1].key, outcomes[1].outcome, outcomes[1].kind) == ("b", "error", type(error).__name__)
    assert str(error) in outcomes[1].detail


def test_models_that_fail_with_every_picture_stop_the_shard():
    with pytest.raises(ValueError, match="broken"):
        search(Fails(ValueError("broken"), tuple("abcd")))


def test_an_error_of_the_gpu_is_not_blamed_on_pictures():
    detector = Fails(RuntimeError("CUDA error: an illegal memory access was encountered"), ("b",))
    with pytest.raises(RuntimeError, match="illegal memory"):
        search(detector)
    assert detector.asked == [4]
