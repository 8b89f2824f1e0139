"""An adapter's files hold what differs from the base, and are refused where anything is in doubt."""

import json

import pytest

from fornet_hf.errors import ConfigurationError, NotFoundError

torch = pytest.importorskip("torch")
pytest.importorskip("peft", exc_type=ImportError)
safetensors = pytest.importorskip("safetensors.torch")
from fornet_hf.adapters import AdapterConfig, restore, save, tune  # noqa: E402
from tests.adapters.networks import small, step, stir  # noqa: E402

IMAGES = torch.rand(4, 3, 16, 16)
CONFIGS = {
    "lora": AdapterConfig(kind="lora"),
    "oft": AdapterConfig(kind="oft", blocks=3, targets=("0.0", "0.8")),
    "head": AdapterConfig(kind="head", bn="adapt"),
    "full": AdapterConfig(kind="full", bn="adapt"),
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_it_comes_back_as_it_was(kind, tmp_path):
    network = stir(tune(small(), CONFIGS[kind]))
    step(network, IMAGES)
    save(network, CONFIGS[kind], str(tmp_path))
    back = restore(small(), str(tmp_path))
    torch.testing.assert_close(back.state_dict(), network.state_dict(), rtol=0, atol=0)
    assert back.eval()(IMAGES).equal(network.eval()(IMAGES))


def test_what_the_base_keeps_is_not_written(tmp_path):
    save(tune(small(), CONFIGS["oft"]), CONFIGS["oft"], tmp_path)
    names = set(safetensors.load_file(tmp_path / "adapter.safetensors"))
    adapters = {f"{layer}.parametrizations.weight.0.oft_skew" for layer in ("0.0", "0.8")}
    assert names == adapters | {"1.weight", "1.bias"}


def test_it_does_not_matter_whether_a_copy_can_be_trained(tmp_path):
    network = tune(small(), CONFIGS["lora"])
    save(network, CONFIGS["lora"], tmp_path / "one")
    save(network.requires_grad_(False), CONFIGS["lora"], tmp_path / "other")
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "other" / file.name).read_bytes()


def other_json(change):
    def edit(folder):
        document = json.loads((folder / "adapter.json").read_text())
        change(document)
        (folder / "adapter.json").write_text(json.dumps(document))

    return edit


def other_weights(change):
    def edit(folder):
        weights = safetensors.load_file(folder / "adapter.safetensors")
        change(weights)
        safetensors.save_file(weights, folder / "adapter.safetensors")

    return edit


def truncated(folder):
    data = (folder / "adapter.safetensors").read_bytes()
    (folder / "adapter.safetensors").write_bytes(data[:-40])


HOSTILE = {
    "truncated": (truncated, "adapter.safetensors is damaged"),
    "no json": (lambda folder: (folder / "adapter.json").write_text("{"), "not valid JSON"),
    "a list": (lambda folder: (folder / "adapter.json").write_text("[]"), "the document is not allowed"),
    "deep": (lambda folder: (folder / "adapter.json").write_text("[" * 100_000), "not valid JSON"),
    "format": (other_json(lambda d: d.update(format=2)), "format is not allowed; found 2"),
    "base": (other_json(lambda d: d.update(base=3)), "base is not allowed"),
    "frozen": (other_json(lambda d: d.pop("frozen")), "frozen is not allowed"),
    "kind": (other_json(lambda d: d["settings"].update(kind="dora")), "kind is not allowed; found 'dora'"),
    "unknown": (other_json(lambda d: d["settings"].update(ranks=4)), "unknown keyword; found ranks"),
    "settings": (other_json(lambda d: d.update(settings=None)), "the adapter is not allowed"),
    "other rank": (other_json(lambda d: d["settings"].update(rank=2)), "other shapes"),
    "lacking": (other_weights(lambda w: w.pop("1.bias")), "1 layers without weights: 1.bias"),
    "more": (other_weights(lambda w: w.update(extra=torch.zeros(1))), "1 keys of no layer: extra"),
    "nan": (other_weights(lambda w: w["1.bias"].fill_(torch.nan)), "weights are not numbers; found 1.bias"),
}


@pytest.mark.parametrize("damage", HOSTILE)
def test_a_damaged_adapter_is_refused(damage, tmp_path):
    save(tune(small(), CONFIGS["lora"]), CONFIGS["lora"], tmp_path)
    edit, message = HOSTILE[damage]
    edit(tmp_path)
    with pytest.raises(ConfigurationError, match=message):
        restore(small(), tmp_path)


def test_an_adapter_of_another_network_is_refused(tmp_path):
    save(tune(small(), CONFIGS["lora"]), CONFIGS["lora"], tmp_path)
    with pytest.raises(ConfigurationError, match="was tuned on other weights than these"):
        restore(small(seed=1), tmp_path)
    with pytest.raises(ConfigurationError, match=r"1\.bias \(5,\) for \(7,\), 1.weight .* as many classes"):
        restore(small(classes=7), tmp_path)
    save(tune(small(), CONFIGS["oft"]), CONFIGS["oft"], tmp_path)
    with pytest.raises(ConfigurationError, match="targets: no such layer"):
        restore(small()[0], tmp_path)


@pytest.mark.parametrize("file", ["adapter.json", "adapter.safetensors"])
def test_a_missing_file_is_named(file, tmp_path):
    save(tune(small(), CONFIGS["lora"]), CONFIGS["lora"], tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(NotFoundError, match=f"the folder holds no adapter; found no file .*{file}"):
        restore(small(), tmp_path)
