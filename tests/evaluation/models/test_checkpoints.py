"""Checkpoints: read from every usual form, fitted to every tensor, and refused where anything is in doubt."""

import argparse
import pickle
import sys

import pytest

from fornet_hf.errors import ConfigurationError, NotFoundError
from fornet_hf.evaluation.models import build, load

torch = pytest.importorskip("torch")
save_file = pytest.importorskip("safetensors.torch").save_file

OWN = """
import torch
from torch import nn

def net(num_classes=5):
    features = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*features, nn.Linear(4, num_classes))

def pair(num_classes=5):
    return nn.ModuleDict({"model": net(num_classes)})
"""


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """A module `own_nets` with networks of random weights."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_nets.py").write_text(OWN)
    sys.modules.pop("own_nets", None)
    yield
    sys.modules.pop("own_nets", None)


def trained(classes=5, name="own_nets:net"):
    """A network that no other network is like."""
    return build(name, classes)


def same(loaded, network):
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(loaded.network(images), network.eval()(images))
    return True


FORMS = {
    "plain": lambda weights: weights,
    "state_dict": lambda weights: {"state_dict": weights, "epoch": 3},
    "model": lambda weights: {"model": weights, "optimizer": {"state": {}}, "args": argparse.Namespace(lr=1)},
    "model_ema": lambda weights: {"model_ema": weights},
    "module": lambda weights: {f"module.{name}": tensor for name, tensor in weights.items()},
    "compiled": lambda weights: {f"module._orig_mod.{name}": tensor for name, tensor in weights.items()},
    "lightning": lambda weights: {"state_dict": {f"model.{name}": tensor for name, tensor in weights.items()}},
    "averaged": lambda weights: {
        "n_averaged": torch.tensor(3),
        **{f"module.{name}": tensor for name, tensor in weights.items()},
    },
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("classes", [5, 9])
def test_weights_are_found_in_every_usual_form(form, classes, tmp_path):
    network = trained(classes)
    torch.save(FORMS[form](network.state_dict()), tmp_path / "net.pth")
    loaded = load(f"own_nets:net={tmp_path / 'net.pth'}")
    assert same(loaded, network)
    assert loaded.outputs == classes
    assert loaded.revision == f"sha256:{loaded.identity.digest}"


def test_safetensors_are_read(tmp_path):
    network = trained()
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    assert same(load(f"own_nets:net={tmp_path / 'net.safetensors'}"), network)


def test_a_prefix_of_the_networks_own_stays(tmp_path):
    network = trained(name="own_nets:pair")
    torch.save(network.state_dict(), tmp_path / "net.pt")
    assert torch.equal(
        load(f"own_nets:pair={tmp_path / 'net.pt'}").network["model"][4].weight, network["model"][4].weight
    )


def test_one_of_several_sets_of_weights_is_named(tmp_path):
    networks = {"model": trained(), "model_ema": trained()}
    file = tmp_path / "net.pt"
    torch.save({name: network.state_dict() for name, network in networks.items()}, file)
    with pytest.raises(ConfigurationError, match=r"several sets of weights; found model, model_ema.*net.pt#model"):
        load(f"own_nets:net={file}")
    for name, network in networks.items():
        assert same(load(f"own_nets:net={file}#{name}"), network)
    with pytest.raises(ConfigurationError, match="holds no weights"):
        load(f"own_nets:net={file}#teacher")


def changed(change):
    weights = dict(trained().state_dict())
    change(weights)
    return weights


UNFIT = {
    "a key of no layer": (lambda w: w.update(head=torch.zeros(1)), r"1 keys of no layer: head"),
    "a layer without weights": (lambda w: w.pop("4.bias"), r"1 layers without weights: 4.bias"),
    "another shape": (lambda w: w.update({"0.weight": torch.zeros(4, 3, 5, 5)}), r"0.weight \(4, 3, 5, 5\) for"),
    "two last layers": (
        lambda w: w.update({"4.weight": torch.zeros(9, 4), "4.bias": torch.zeros(8)}),
        r"2 other shapes: 4.weight \(9, 4\) for \(5, 4\), 4.bias \(8,\)",
    ),
    "a wrapper around a part": (lambda w: w.update({"module.4.bias": w.pop("4.bias")}), r"module.4.bias"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_does_not_fit_is_named(case, tmp_path):
    change, message = UNFIT[case]
    torch.save(changed(change), tmp_path / "net.pt")
    with pytest.raises(ConfigurationError, match=f"does not fit the network.*{message}"):
        load(f"own_nets:net={tmp_path / 'net.pt'}")


def test_no_code_of_a_file_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return exec, ("raise SystemExit",)

    torch.save({"state_dict": Evil()}, tmp_path / "net.pt")
    (tmp_path / "old.pth").write_bytes(pickle.dumps(Evil()))
    (tmp_path / "text.pt").write_text("no weights")
    for name in ("net.pt", "old.pth", "text.pt"):
        with pytest.raises(ConfigurationError, match=r"is no checkpoint of weights.*state_dict"):
            load(f"own_nets:net={tmp_path / name}")


@pytest.mark.parametrize("value", [{}, {"model": {}}, [1], {"net": {"weight": 1}}], ids=str)
def test_a_file_without_weights_is_refused(value, tmp_path):
    torch.save(value, tmp_path / "net.pt")
    with pytest.raises(ConfigurationError, match="holds no weights"):
        load(f"own_nets:net={tmp_path / 'net.pt'}")


@pytest.mark.parametrize("name", ["net.pt", "old.pt", "net.safetensors"])
@pytest.mark.parametrize("share", [0, 0.02, 0.3, 0.9])
def test_half_a_file_is_refused(name, share, tmp_path):
    import own_nets

    weights, file = own_nets.net().state_dict(), tmp_path / name
    if name == "net.safetensors":
        save_file(weights, file)
    else:
        torch.save(weights, file, _use_new_zipfile_serialization=name == "net.pt")
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(ConfigurationError, match=rf"{name} is (no checkpoint of weights|damaged)"):
        load(f"own_nets:net={file}")


def test_a_checkpoint_that_is_not_there_is_refused(tmp_path):
    for name in ("net.pt", "net.pt#model", ""):
        with pytest.raises(NotFoundError, match="no checkpoint"):
            load(f"own_nets:net={tmp_path / name}")
    with pytest.raises(ConfigurationError, match="has no checkpoint"):
        build(f"own_nets:net={tmp_path / 'net.pt'}", 5)


def test_the_checkpoint_of_the_training_example_is_loaded(tmp_path):
    from tests.examples.test_loop import ALONE, trainer_of
    from training.model import tiny
    from training.run import Run

    network = tiny(7)
    trainer = trainer_of(network, out=str(tmp_path / "run"))
    run = Run(trainer.config, ALONE)
    run.finish_epoch(0, {}, trainer)
    assert same(load(f"training.model:tiny={run.checkpoint}"), network)


@pytest.mark.parametrize("library", ["timm:test_vit", "torchvision:squeezenet1_1"])
def test_the_last_layer_of_libraries_follows_the_checkpoint(library, tmp_path):
    pytest.importorskip("timm", exc_type=ImportError)
    network = build(library, 9)
    torch.save(network.state_dict(), tmp_path / "net.pt")
    loaded = load(f"{library}={tmp_path / 'net.pt'}")
    assert loaded.outputs == 9
    assert torch.equal(loaded.logits(x := torch.rand(1, 3, 160, 160)), loaded.logits(x))
    assert loaded.network.state_dict().keys() == network.state_dict().keys()
