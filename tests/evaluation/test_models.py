"""Classifiers by name: each library's own preprocessing, revisions that stay, and refusals that say what to do."""

import json
import sys

import pytest
from huggingface_hub import constants

from fornet_hf.errors import ConfigurationError, MissingDependencyError, UnreachableError
from fornet_hf.evaluation import models
from fornet_hf.evaluation.classifier import weights_digest
from fornet_hf.evaluation.models import build, load, parse_name
from fornet_hf.evaluation.preprocessing import Preprocessing

torch = pytest.importorskip("torch")

COMMIT = "c" * 40


@pytest.fixture
def timm():
    return pytest.importorskip("timm", reason="these classifiers are timm's", exc_type=ImportError)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Somebody's module `own_classifiers`; takes its text."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(text):
        (tmp_path / "own_classifiers.py").write_text(text)
        sys.modules.pop("own_classifiers", None)

    yield write
    sys.modules.pop("own_classifiers", None)


def save_vit(folder):
    """A tiny model of transformers as a repository has it."""
    from transformers import ViTConfig, ViTForImageClassification

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = ViTForImageClassification(ViTConfig(**sizes, image_size=32, patch_size=16, num_labels=5))
    network.save_pretrained(folder)
    images = {"size": {"height": 32, "width": 32}, "resample": 2, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
    settings = {"image_processor_type": "ViTImageProcessor", "do_resize": True, **images}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return network.eval()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet50", "timm:NAME, torchvision:NAME, hf:NAMESPACE/NAME or package.module:function"),
        ("timm:", "timm:"),
        ("no_such_module:vgg", "no_such_module:vgg.*PYTHONPATH"),
        ("fornet_hf.no_such_module:vgg", "fornet_hf.no_such_module:vgg.*No module named.*PYTHONPATH"),
        ("fornet_hf.errors:vgg", "fornet_hf.errors:vgg.*no attribute"),
        ("torchvision:resnet0", "resnet0"),
    ],
)
def test_unknown_classifiers_are_refused(name, message):
    with pytest.raises(ConfigurationError, match=message):
        load(name)


def test_libraries_win_over_modules_of_their_names():
    assert [parse_name(f"{one}:a/b") for one in ("timm", "torchvision", "hf")] == [
        ("timm", "a/b"),
        ("torchvision", "a/b"),
        ("hf", "a/b"),
    ]
    assert parse_name("timm.models:vit") == ("", "timm.models:vit")


@pytest.mark.parametrize("make", [load, lambda name: build(name, 5)])
def test_a_missing_library_is_named_with_its_pip_line(make, monkeypatch):
    for name, packages in (("timm", "timm"), ("transformers", "transformers torchvision")):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingDependencyError, match=f"pip install {packages}"):
            make(f"{'hf' if name == 'transformers' else name}:me/model")


def test_a_timm_model_comes_with_its_own_preprocessing(timm, monkeypatch):
    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda name, pretrained: create(name, pretrained=False))
    loaded = load("timm:test_vit.r160_in1k")
    assert loaded.preprocessing == Preprocessing(size=160, crop=0.95, mean=(0.5,) * 3, std=(0.5,) * 3)
    assert loaded.logits(torch.rand(2, 3, 160, 160)).shape == (2, 1000)


def test_a_timm_model_is_named_by_the_commit_of_its_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--timm--vit"
    for name in ("c" * 40, "d" * 40):
        (repository / "snapshots" / name).mkdir(parents=True)
        (repository / "snapshots" / name / "model.safetensors").touch()
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("d" * 40)
    for asked, commit in (("timm/vit", "d" * 40), (f"timm/vit@{'c' * 40}", "c" * 40)):
        assert models._timm_revision({"hf_hub_id": asked, "tag": "in1k"}) == f"timm/vit@{commit}"
    assert models._timm_revision({"hf_hub_id": "timm/other"}) == "timm/other"
    assert models._timm_revision({"hf_hub_id": None, "tag": "in1k"}) == "in1k"


def test_an_unknown_timm_model_is_refused(timm):
    for make in (load, lambda name: build(name, 5)):
        with pytest.raises(ConfigurationError, match="no_such_model"):
            make("timm:no_such_model")


def test_a_torchvision_model_comes_with_its_own_preprocessing(monkeypatch):
    from torchvision import models as theirs

    build_theirs = theirs.get_model
    monkeypatch.setattr(theirs, "get_model", lambda name, weights: build_theirs(name, weights=None))
    loaded = load("torchvision:resnet18")
    assert loaded.preprocessing == Preprocessing(size=224, crop=0.875, interpolation="bilinear")
    assert loaded.identity.revision == "ResNet18_Weights.IMAGENET1K_V1"
    assert loaded.identity.digest == weights_digest(loaded.network)
    assert not loaded.network.training


def test_a_folder_of_transformers_is_named_by_its_digest(tmp_path):
    network = save_vit(tmp_path)
    loaded = load(f"hf:{tmp_path}")
    assert loaded.preprocessing == Preprocessing(
        size=32, crop=1.0, squash=True, interpolation="bilinear", mean=(0.5,) * 3, std=(0.25,) * 3
    )
    assert loaded.revision == f"sha256:{weights_digest(network)}"
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(loaded.logits(images), network((images - 0.5) / 0.25).logits)


def test_a_repository_is_named_by_its_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    (tmp_path / "models--me--vit" / "refs").mkdir(parents=True)
    (tmp_path / "models--me--vit" / "refs" / "main").write_text(COMMIT)
    save_vit(tmp_path / "models--me--vit" / "snapshots" / COMMIT)
    assert load("hf:me/vit").revision == load(f"hf:me/vit@{COMMIT}").revision == f"me/vit@{COMMIT}"
    assert build("hf:me/vit", 3)(torch.rand(2, 3, 32, 32)).shape == (2, 3)
    with pytest.raises(UnreachableError, match="me/other"):
        load("hf:me/other")


@pytest.mark.parametrize("make", [load, lambda name: build(name, 5)])
def test_a_model_that_classifies_no_images_is_refused(make, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ConfigurationError, match="no image classifier"):
        make(f"hf:{tmp_path}")


def test_a_function_of_ones_own_gives_a_network_or_all_of_a_classifier(own):
    own(
        "import torch\n"
        "from fornet_hf.evaluation.classifier import Classifier\n"
        "from fornet_hf.evaluation.preprocessing import Preprocessing\n"
        "def network(num_classes=4): return torch.nn.LazyLinear(num_classes)\n"
        "def bare(): return torch.nn.Flatten()\n"
        "def whole(): return Classifier(name='', revision='7', network=bare(), preprocessing=Preprocessing(size=8))\n"
    )
    bare, whole = load("own_classifiers:bare"), load("own_classifiers:whole")
    assert (bare.name, bare.preprocessing) == ("own_classifiers:bare", Preprocessing())
    assert bare.revision == f"sha256:{bare.identity.digest}"
    assert (whole.name, whole.revision, whole.preprocessing.size) == ("own_classifiers:whole", "7", 8)
    assert build("own_classifiers:network", 6)(torch.rand(2, 8)).shape == (2, 6)


def test_what_a_module_of_ones_own_lacks_is_named(own):
    own("import no_such_package\n")
    with pytest.raises(MissingDependencyError, match="pip install no_such_package"):
        load("own_classifiers:bare")
