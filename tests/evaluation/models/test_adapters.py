"""Adapters of peft: merged into the weights that they were trained on, and refused where they do not fit."""

import sys

import pytest

from fornet_hf.errors import ConfigurationError, MissingDependencyError, NotFoundError
from fornet_hf.evaluation.models import build, load, pretrained

torch = pytest.importorskip("torch")

OWN = """
import torch
from torch import nn

def net(num_classes=5):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        features = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*features, nn.Linear(4, 4), nn.Linear(4, num_classes))
"""


@pytest.fixture
def peft(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_base.py").write_text(OWN)
    sys.modules.pop("own_base", None)
    yield pytest.importorskip("peft", exc_type=ImportError)
    sys.modules.pop("own_base", None)


def trained(peft, folder, classes=5, saved=("5",)):
    """A network with an adapter, which lies in the folder; nothing of it is 0."""
    import own_base

    network = own_base.net(classes)
    for name, tensor in own_base.net().state_dict().items():
        if network.state_dict()[name].shape == tensor.shape:
            network.state_dict()[name].copy_(tensor)
    config = peft.LoraConfig(r=2, target_modules=["0", "4"], modules_to_save=list(saved))
    adapter = peft.get_peft_model(network, config)
    for parameter in adapter.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter)
    adapter.save_pretrained(folder)
    return adapter.eval()


@pytest.mark.parametrize("classes", [5, 9])
def test_an_adapter_is_merged(classes, peft, tmp_path):
    adapter = trained(peft, tmp_path / "adapter", classes)
    loaded = load(f"own_base:net={tmp_path / 'adapter'}")
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(loaded.network(images), adapter(images), rtol=1e-4, atol=1e-4)
    assert loaded.outputs == classes
    assert loaded.network.state_dict().keys() == load("own_base:net").network.state_dict().keys()
    assert loaded.revision == f"sha256:{loaded.identity.digest}" != load("own_base:net").revision


def test_an_adapter_that_does_not_fit_is_refused(peft, tmp_path):
    from safetensors.torch import load_file, save_file

    file = tmp_path / "adapter" / "adapter_model.safetensors"
    trained(peft, file.parent, 9)
    weights = load_file(file)
    for change, message in (
        (lambda w: w.pop("base_model.model.5.bias"), "no whole last layer; found no 5.bias"),
        (lambda w: w.pop("base_model.model.0.lora_A.weight"), "0.lora_A.weight"),
        (lambda w: w.update({"base_model.model.7.lora_A.weight": torch.zeros(2, 4)}), "7.lora_A.weight"),
        (lambda w: w.update({"base_model.model.0.lora_A.weight": torch.zeros(2, 4, 3, 3)}), "does not fit"),
    ):
        changed = dict(weights)
        change(changed)
        save_file(changed, file)
        with pytest.raises(ConfigurationError, match=message):
            load(f"own_base:net={file.parent}")


def test_peft_is_named_with_its_pip_line(peft, tmp_path, monkeypatch):
    trained(peft, tmp_path / "adapter")
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingDependencyError, match="pip install peft"):
        load(f"own_base:net={tmp_path / 'adapter'}")


TUNED = """
import torch
from torch import nn

def net(num_classes=5):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        features = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 4)]
        grouped = [nn.Unflatten(1, (4, 1, 1)), nn.Conv2d(4, 4, 1, groups=2), nn.Flatten()]
        return nn.Sequential(*features, *grouped, nn.Linear(4, num_classes))
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_tuned.py").write_text(TUNED)
    sys.modules.pop("own_tuned", None)
    pytest.importorskip("peft", exc_type=ImportError)
    yield
    sys.modules.pop("own_tuned", None)


def tuned(folder, name="own_tuned:net", classes=9, base=None, **settings):
    """A network with an adapter of ours, which lies in the folder; nothing of it is 0."""
    from fornet_hf.adapters import AdapterConfig, save, trainable, tune

    config = AdapterConfig(**settings)
    network = tune(pretrained(name, classes), config)
    for _, parameter in trainable(network):
        torch.nn.init.normal_(parameter)
    save(network, config, folder, base)
    return network.eval()


@pytest.mark.parametrize("classes", [5, 9])
@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "oft", "blocks": 3, "targets": ["0"]},
        {"kind": "oft", "blocks": 2, "targets": ["4"]},
        {"kind": "lora", "targets": ["0", "6"]},
        {"kind": "head"},
        {"kind": "full"},
    ],
)
def test_what_was_tuned_is_loaded(settings, classes, own, tmp_path):
    network = tuned(tmp_path / "adapter", classes=classes, **settings)
    loaded = load(f"own_tuned:net={tmp_path / 'adapter'}")
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(loaded.network(images), network(images), rtol=1e-4, atol=1e-4)
    assert loaded.outputs == classes
    assert loaded.revision.startswith("sha256:")
    names = loaded.network.state_dict().keys()
    assert (names == load("own_tuned:net").network.state_dict().keys()) == ("6" not in settings.get("targets", []))


def test_the_base_may_be_a_checkpoint(own, tmp_path):
    from own_tuned import net

    base = net()
    base[0].weight.data.normal_()
    base[0].bias.data.normal_()
    (tmp_path / "base").mkdir()
    torch.save(base.state_dict(), tmp_path / "base" / "weights.pt")
    place = tmp_path / "base" / "weights.pt"
    network = tuned(tmp_path / "one" / "adapter", f"own_tuned:net={place}", base=place, kind="lora")
    assert network[0].base_layer.weight.equal(base[0].weight)
    (tmp_path / "moved").mkdir()
    (tmp_path / "base").rename(tmp_path / "moved" / "base")
    (tmp_path / "one").rename(tmp_path / "moved" / "one")
    loaded = load(f"own_tuned:net={tmp_path / 'moved' / 'one' / 'adapter'}")
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(loaded.network(images), network(images), rtol=1e-4, atol=1e-4)
    (tmp_path / "moved" / "base" / "weights.pt").unlink()
    with pytest.raises(NotFoundError, match=r"no checkpoint .*weights\.pt"):
        load(f"own_tuned:net={tmp_path / 'moved' / 'one' / 'adapter'}")


def test_pretrained_weights_are_carried_to_another_number_of_classes(own, tmp_path):
    same, other = pretrained("own_tuned:net", 5), pretrained("own_tuned:net", 7)
    assert other[-1].out_features == 7
    weights = load("own_tuned:net").network.state_dict()
    for network, missing in ((same, set()), (other, {"8.weight", "8.bias"})):
        own_weights = network.state_dict()
        assert {name for name in weights if not weights[name].equal(own_weights[name])} == missing


def test_a_network_of_timm_is_tuned_and_loaded(own, tmp_path):
    pytest.importorskip("timm")
    checkpoint = tmp_path / "base.pt"
    torch.save(build("timm:resnet10t", 5).state_dict(), checkpoint)
    settings = {"kind": "oft", "targets": ["layer4.*.conv?"]}
    network = tuned(tmp_path / "adapter", f"timm:resnet10t={checkpoint}", 9, checkpoint, **settings)
    loaded = load(f"timm:resnet10t={tmp_path / 'adapter'}")
    images = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(loaded.network(images), network(images), rtol=1e-4, atol=1e-4)
    assert loaded.outputs == 9
    assert loaded.network.state_dict().keys() == build("timm:resnet10t", 9).state_dict().keys()
    assert not loaded.network.training


def test_an_adapter_of_other_pretrained_weights_is_refused(own, tmp_path):
    tuned(tmp_path / "adapter", kind="lora", targets=["0"])
    module = tmp_path / "own_tuned.py"
    module.write_text(TUNED.replace("manual_seed(0)", "manual_seed(1)"))
    sys.modules.pop("own_tuned")
    with pytest.raises(ConfigurationError, match="was tuned on other weights than these"):
        load(f"own_tuned:net={tmp_path / 'adapter'}")
