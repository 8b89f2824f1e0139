from types import SimpleNamespace

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from producers.devices.placement import Placement
from producers.scene import Scene
from producers.segment import birefnet
from producers.segment.birefnet import BiRefNet
from producers.segment.birefnet_settings import BiRefNetSettings

# A network of ONNX (opset 13): the mean of 3 channels at half the size, of n x 3 x 64 x 64; made by onnx.helper.
TINY = bytes.fromhex(
    "08083a9e010a1f0a017812016d220a5265647563654d65616e2a0b0a04617865734001a001070a3c0a016d120179220b41766572616765506f6f"
    "6c2a150a0c6b65726e656c5f736861706540024002a001072a100a077374726964657340024002a001071201675a1c0a017812170a1508011211"
    "0a0312016e0a0208030a0208400a020840621c0a017912170a15080112110a0312016e0a0208010a0208200a02082042040a00100d"
)


class Bright:
    """A session whose logits are the mean of the channels, at half the size."""

    def __init__(self, count="n", most=8):
        self.count = count
        self.most = most
        self.seen = []

    def get_inputs(self):
        return [SimpleNamespace(name="pixels", shape=[self.count, 3, 64, 64])]

    def run(self, names, values):
        (pixels,) = values.values()
        assert (names, [*values], pixels.dtype, pixels.shape[1:]) == (None, ["pixels"], np.float32, (3, 64, 64))
        if len(pixels) > self.most:
            raise RuntimeError("[ONNXRuntimeError] : 6 : BFCArena: Failed to allocate memory for requested buffer")
        self.seen.append(len(pixels))
        return [pixels.mean(1, keepdims=True).reshape(-1, 1, 32, 2, 32, 2).mean((3, 5))]


def scene(size, box=None):
    """A dark image with a bright box: x0, y0, x1, y1."""
    raster = np.full((*size, 3), 20, np.uint8)
    if box:
        x0, y0, x1, y1 = box
        raster[y0:y1, x0:x1] = 240
    return Scene(key="a", raster=raster, prompts=("a thing.", "an object."))


@pytest.fixture
def scenes():
    return [scene((60, 90), (20, 10, 70, 50)), scene((64, 64)), scene((100, 50), (5, 5, 45, 60))]


def test_masks_are_where_the_map_is_high_whatever_the_prompts_say(scenes):
    found = BiRefNet(Bright(), Placement())(scenes)
    assert [len(one.masks) for one in found] == [1, 0, 1]
    for one in (found[0], found[2]):
        (cut,) = one.masks
        truth = one.raster[..., 0] > 128
        assert cut.mask.shape == truth.shape
        assert np.count_nonzero(cut.mask & truth) > 0.9 * np.count_nonzero(cut.mask | truth)
        assert cut.prompt == "a thing."
        assert 0.7 < cut.score < 1
        assert cut.soft.shape == (32, 32)
        assert cut.soft.dtype == np.uint8
        assert cut.soft.max() > 200 > 60 > cut.soft.min()


def test_settings_say_how_sure_and_how_large_an_object_must_be(scenes):
    assert not BiRefNet(Bright(), Placement(), BiRefNetSettings(least=0.5))(scenes)[0].masks
    assert not BiRefNet(Bright(), Placement(), BiRefNetSettings(threshold=0.99))(scenes)[0].masks
    for wrong in ({"threshold": 0}, {"least": 1}):
        with pytest.raises(ConfigurationError):
            BiRefNetSettings(**wrong)


def test_a_batch_equals_single_images_and_is_halved_when_memory_runs_out(scenes):
    alone = BiRefNet(Bright(), Placement(), batch_size=1)(scenes)
    session = Bright(most=1)
    together = BiRefNet(session, Placement(), batch_size=3)(scenes)
    assert session.seen == [1, 1, 1]
    for one, other in zip(alone, together, strict=True):
        assert all(np.array_equal(a.mask, b.mask) for a, b in zip(one.masks, other.masks, strict=True))


def test_a_file_for_one_image_gets_one_at_a_time(scenes):
    session = Bright(count=1)
    one = BiRefNet(session, Placement(), batch_size=4)
    assert (one.batch_size.value, one.bucket(60, 90)) == (1, one.bucket(64, 64))
    one(scenes)
    assert session.seen == [1, 1, 1]


def test_other_errors_of_a_session_stay_what_they_are(scenes):
    session = Bright()
    session.run = lambda *_: (_ for _ in ()).throw(RuntimeError("something else"))
    with pytest.raises(RuntimeError, match="something else"):
        BiRefNet(session, Placement())(scenes)


def test_onnx_runtime_gives_the_same(scenes, tmp_path):
    pytest.importorskip("onnxruntime", reason="BiRefNet needs ONNX Runtime")
    (tmp_path / "tiny.onnx").write_bytes(TINY)
    loaded = birefnet.load(Placement(), str(tmp_path / "tiny.onnx"), batch_size=2)
    assert loaded.identity.model == "tiny.onnx"
    assert loaded.identity.revision.startswith("sha256:")
    for one, other in zip(loaded(scenes), BiRefNet(Bright(), Placement())(scenes), strict=True):
        for cut, same in zip(one.masks, other.masks, strict=True):
            assert np.array_equal(cut.mask, same.mask)
            assert cut.score == pytest.approx(same.score, abs=1e-5)
    (tmp_path / "wrong.onnx").write_bytes(b"something else")
    with pytest.raises(ConfigurationError, match="holds no network of ONNX"):
        birefnet.load(Placement(), str(tmp_path / "wrong.onnx"))
