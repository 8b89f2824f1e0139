"""Classifiers by name: each library's own preprocessing, revisions that stay, and refusals that say what to do."""

import sys
from pathlib import Path

import pytest
from huggingface_hub import constants

from fornet_hf.errors import ConfigurationError, MissingDependencyError
from fornet_hf.evaluation.models import build, load, parse_name
from fornet_hf.evaluation.models.classifier import weights_digest
from fornet_hf.evaluation.models.of_timm import Timm, revision_of
from fornet_hf.evaluation.models.preprocessing import Preprocessing

torch = pytest.importorskip("torch")


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


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet50", r"timm:NAME, torchvision:NAME\[@WEIGHTS\], .*Did you mean timm:resnet50"),
        ("timm:resnet18=", "timm:resnet18="),
        ("torchvision:resnet18@V9", "resnet18 has no such weights; found V9; allowed: IMAGENET1K_V1, DEFAULT"),
        ("torchhub:me/models:main/net", "runs code of a repository.*--trust-remote-code"),
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


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("timm:a/b", ("timm", "a/b", None)),
        ("torchvision:a@V1", ("torchvision", "a@V1", None)),
        ("hf:a/b@main", ("hf", "a/b@main", None)),
        ("timm:hf-hub:a/b", ("timm", "hf-hub:a/b", None)),
        ("timm.models:vit", ("", "timm.models:vit", None)),
        ("timm:a=b.pt", ("timm", "a", Path("b.pt"))),
        ("hf:runs/a=1/x=c:/b.pt#model", ("hf", "runs/a=1/x", Path("c:/b.pt#model"))),
        ("timm.models:vit=b", ("", "timm.models:vit", Path("b"))),
        ("torchhub:a/b:v1/c=d", ("torchhub", "a/b:v1/c", Path("d"))),
    ],
)
def test_names_are_split_at_the_first_colon_and_the_last_equals_sign(name, parts):
    assert parse_name(name) == parts


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
        assert revision_of({"hf_hub_id": asked, "tag": "in1k"}) == f"timm/vit@{commit}"
    assert revision_of({"hf_hub_id": "timm/other"}) == "timm/other"
    assert revision_of({"hf_hub_id": None, "tag": "in1k"}) == "in1k"


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


def test_weights_of_torchvision_can_be_chosen(monkeypatch):
    from torchvision import models as theirs

    build_theirs = theirs.get_model
    monkeypatch.setattr(theirs, "get_model", lambda name, weights: build_theirs(name, weights=None))
    loaded = load("torchvision:mobilenet_v3_large@IMAGENET1K_V1")
    assert loaded.revision == "MobileNet_V3_Large_Weights.IMAGENET1K_V1"
    assert loaded.preprocessing.edge == 256
    assert load("torchvision:mobilenet_v3_large").preprocessing.edge == 232


def test_a_timm_model_sees_what_timm_validates_it_with(timm, monkeypatch):
    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda name, pretrained: create(name, pretrained=False))
    loaded = load("timm:test_resnet.r160_in1k")
    theirs = timm.data.resolve_data_config({}, model=loaded.network, use_test_size=True)
    assert loaded.preprocessing.size == theirs["input_size"][-1]
    sizes = [
        Timm("resnet10t.c3_in1k", tested)._classifier(create("resnet10t.c3_in1k")).preprocessing.size
        for tested in (True, False)
    ]
    assert sizes == [224, 176]


def test_a_timm_model_without_classes_is_refused(timm, monkeypatch):
    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda name, pretrained: create(name, num_classes=0))
    with pytest.raises(ConfigurationError, match="gives features and no classes"):
        load("timm:test_vit")


@pytest.fixture
def torchhub(tmp_path, monkeypatch):
    """A repository on GitHub, as the cache of torch has it."""
    repository = tmp_path / "me_models_v1"
    repository.mkdir()
    (repository / "hubconf.py").write_text(
        "import torch\n"
        "def net(pretrained=False, num_classes=4):\n"
        "    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),"
        " torch.nn.Linear(3, num_classes))\n"
        "    torch.nn.init.constant_(network[2].weight, float(pretrained))\n"
        "    return network\n"
    )
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))


@pytest.mark.usefixtures("torchhub")
def test_a_repository_on_github_is_run_if_it_is_trusted(tmp_path):
    loaded = load("torchhub:me/models:v1/net", trust_remote_code=True)
    assert loaded.network[2].weight.eq(1).all()
    assert loaded.outputs == 4
    torch.save(
        torch.nn.Sequential(torch.nn.Identity(), torch.nn.Identity(), torch.nn.Linear(3, 7)).state_dict(),
        tmp_path / "seven.pt",
    )
    assert load(f"torchhub:me/models:v1/net={tmp_path / 'seven.pt'}", trust_remote_code=True).outputs == 7
    for name, message in (("me/models:v1/other", "other"), ("me/models/net", "OWNER/REPO:REF/NAME")):
        with pytest.raises(ConfigurationError, match=message):
            load(f"torchhub:{name}", trust_remote_code=True)


def test_a_function_of_ones_own_gives_a_network_or_all_of_a_classifier(own):
    own(
        "import torch\n"
        "from fornet_hf.evaluation.models.classifier import Classifier\n"
        "from fornet_hf.evaluation.models.preprocessing import Preprocessing\n"
        "def network(num_classes=4): return torch.nn.LazyLinear(num_classes)\n"
        "def bare(): return torch.nn.Flatten()\n"
        "def whole(): return Classifier(name='', revision='7', network=bare(), preprocessing=Preprocessing(size=8))\n"
    )
    bare, whole = load("own_classifiers:bare"), load("own_classifiers:whole")
    assert (bare.name, bare.preprocessing) == ("own_classifiers:bare", Preprocessing())
    assert bare.revision == bare.identity.digest == ""  # it has no weights
    assert (whole.name, whole.revision, whole.preprocessing.size) == ("own_classifiers:whole", "7", 8)
    assert build("own_classifiers:network", 6)(torch.rand(2, 8)).shape == (2, 6)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return None", "returns no classifier; found None; allowed: a network of torch"),
        ("return 'resnet50'", "returns no classifier; found 'resnet50'"),
        (
            "return {}['weights']",
            r"fails; found KeyError: 'weights' \(own_classifiers.py, line 1\).* called as make\(\)",
        ),
        ("return open('weights.pt')", "fails; found FileNotFoundError: .*weights.pt"),
    ],
)
def test_a_function_that_makes_no_classifier_is_told_so(own, body, message):
    own(f"def make(): {body}\n")
    with pytest.raises(ConfigurationError, match=f"own_classifiers:make {message}"):
        load("own_classifiers:make")


def test_a_torchvision_of_another_torch_is_told(monkeypatch):
    def pretrained(_self):
        raise RuntimeError("operator torchvision::nms does not exist")  # as it says itself

    monkeypatch.setattr(Timm, "pretrained", pretrained)
    with pytest.raises(MissingDependencyError, match="pip install -U torch torchvision"):
        load("timm:resnet18")


def test_a_function_needs_no_arguments(own):
    own("def make(width): return width\n")
    told = r"fails; found TypeError: make\(\) missing 1 required [^(]*\. It .* a default"
    with pytest.raises(ConfigurationError, match=told):
        load("own_classifiers:make")


def test_weights_are_loaded_in_float32(own):
    own("import torch\ndef make(): return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 5)).half()\n")
    loaded = load("own_classifiers:make")
    assert {weight.dtype for weight in loaded.network.parameters()} == {torch.float32}
    assert loaded.revision == f"sha256:{loaded.identity.digest}"


def test_what_a_module_of_ones_own_lacks_is_named(own):
    own("import no_such_package\n")
    with pytest.raises(MissingDependencyError, match="pip install no_such_package"):
        load("own_classifiers:bare")


def test_a_misspelt_model_of_timm_is_answered_by_names_like_it(timm):
    assert "resnet18" in timm.list_models()
    for ask in (Timm("resnet81").pretrained, Timm("resnet81").untrained):
        with pytest.raises(ConfigurationError, match=r"Did you mean .*resnet18"):
            ask()
