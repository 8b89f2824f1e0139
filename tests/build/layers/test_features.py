"""FID and KID by torch-fidelity; its network stands in small, but where its file is read."""

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from fornet_hf.errors import ConfigurationError, MissingDependencyError, NotFoundError  # noqa: E402
from producers.layers import features  # noqa: E402
from producers.layers.features import Scorer  # noqa: E402
from tests.build.layers.tiny import squares  # noqa: E402
from tests.one_thread import one_thread  # noqa: E402
from tests.torchvision_shim import import_torchvision  # noqa: E402

__all__ = ["one_thread"]

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def fidelity():
    pytest.importorskip("scipy")
    import_torchvision()
    return pytest.importorskip("torch_fidelity")


@pytest.fixture
def small(fidelity, monkeypatch):
    """A network that gives mean and deviation of each colour; it counts the images that it sees."""
    from torch_fidelity import registry
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

    class Colours(FeatureExtractorBase):
        seen = 0

        def __init__(self, name, features_list, **options):
            super().__init__(name, features_list)

        @staticmethod
        def get_provided_features_list():
            return ("2048",)

        def forward(self, images):
            assert images.dtype == torch.uint8
            assert images.shape[1:] == (3, 16, 16)
            Colours.seen += len(images)
            pixels = images.float().flatten(2) / 255
            return (torch.cat([pixels.mean(2), pixels.std(2)], 1),)

    monkeypatch.setitem(registry.FEATURE_EXTRACTORS_REGISTRY, "colours", Colours)
    monkeypatch.setattr(features, "EXTRACTOR", "colours")
    return Colours


@pytest.fixture
def store(tmp_path):
    return squares(tmp_path)


def real(store):
    return np.stack([store.array(number) for number in range(len(store))])


def test_the_same_images_score_nothing_and_others_more(store, small):
    scorer = Scorer(store, None, CPU)
    same = scorer.scores([real(store)[:5], real(store)[5:]])
    near, far = (scorer.scores([np.clip(real(store).astype(int) + by, 0, 255).astype(np.uint8)]) for by in (10, 60))
    assert abs(same["fid"]) < 1e-3
    assert same["fid"] < near["fid"] < far["fid"]
    assert same["kid"] < near["kid"] < far["kid"]


def test_features_of_real_images_are_computed_once(store, small):
    first = Scorer(store, None, CPU).scores([real(store)])
    assert small.seen == 24
    assert Scorer(store, None, CPU).scores([real(store)]) == first
    assert small.seen == 36
    path = store.folder / "real_features.safetensors"
    path.write_bytes(path.read_bytes()[:50])
    assert Scorer(store, None, CPU).scores([real(store)]) == first
    assert small.seen == 60


def test_features_of_other_images_are_not_taken(store, small, tmp_path):
    assert Scorer(store, None, CPU).real.shape == (12, 6)
    store.index["sha256"] = "another"
    assert Scorer(store, None, CPU).real.shape == (12, 6)
    assert small.seen == 24


def test_a_fid_is_the_formulas(store, small):
    """Of one colour, whose mean is moved: the square of the distance."""
    scorer = Scorer(store, None, CPU)
    moved = scorer.real.clone()
    moved[:, 0] += 0.5
    scorer._features = lambda images: moved
    assert scorer.scores([])["fid"] == pytest.approx(0.25, abs=1e-3)


@pytest.fixture(scope="module")
def inception(fidelity, tmp_path_factory):
    """The file of a network of the right form, with random weights."""
    from torch_fidelity import feature_extractor_inceptionv3 as home

    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        torch.manual_seed(0)
        patch.setattr(home, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(home.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network = home.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    torch.save(network.state_dict(), path)
    return path


def test_the_network_is_read_from_its_file(store, inception):
    scorer = Scorer(store, inception, CPU)
    assert scorer.real.shape == (12, 2048)
    assert scorer.real.std() > 0


def test_a_file_of_another_kind_is_refused_and_nothing_in_it_is_run(store, fidelity, tmp_path):
    class Hostile:
        def __reduce__(self):
            return (tmp_path / "done").touch, ()

    files = {"hostile": Hostile(), "other": {"weight": torch.zeros(3)}}
    for name, value in files.items():
        torch.save(value, tmp_path / name)
    (tmp_path / "none").write_bytes(b"no weights")
    for name in (*files, "none"):
        with pytest.raises(ConfigurationError, match="no weights of the network for FID and KID"):
            Scorer(store, tmp_path / name, CPU)
    assert not (tmp_path / "done").exists()
    with pytest.raises(NotFoundError, match="--inception; found no file"):
        Scorer(store, tmp_path / "nowhere", CPU)


def test_weights_that_cannot_be_fetched_are_said(store, fidelity, monkeypatch):
    from torch_fidelity import feature_extractor_inceptionv3 as home

    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(home, "load_state_dict_from_url", offline)
    with pytest.raises(NotFoundError, match=r"cannot be fetched; found no network.*--inception FILE"):
        Scorer(store, None, CPU)


def test_a_package_that_is_missing_is_named(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    monkeypatch.setitem(sys.modules, "torch_fidelity.utils", None)
    with pytest.raises(MissingDependencyError, match="pip install torch-fidelity"):
        Scorer(store, None, CPU)
