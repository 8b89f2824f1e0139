import pytest

torch = pytest.importorskip("torch")

from fornet_hf.adapters import tune  # noqa: E402
from fornet_hf.errors import ConfigurationError  # noqa: E402
from tests.torchvision_shim import import_torchvision  # noqa: E402
from training.augment import MEAN, STD, colours_of  # noqa: E402
from training.config import TrainConfig  # noqa: E402
from training.model import adapter_of, base_of, build_optimizer, tiny  # noqa: E402
from training.options import parse  # noqa: E402


@pytest.mark.parametrize(("name", "tuned"), [("lora", 3), ("oft", 11), ("base", 0)])
def test_the_presets_of_resnet50_tune_what_they_say(name, tuned):
    try:
        models = import_torchvision().models
    except ImportError:
        pytest.skip("needs torchvision")
    if name == "lora":
        pytest.importorskip("peft")
    config = parse(["--preset", name])
    network = tune(models.resnet50(num_classes=9), adapter_of(config))
    trained = {parameter: one.numel() for parameter, one in network.named_parameters() if one.requires_grad}
    adapted = {parameter.partition(f".{name}_")[0] for parameter in trained if f".{name}_" in parameter}
    assert len(adapted) == tuned
    head = 2048 * 9 + 9
    if name == "lora":
        assert sum(trained.values()) == 79_881
    if name == "base":
        assert sum(trained.values()) == head
    assert network.train().bn1.training  # its statistics adapt, as the seed's do
    assert sum(len(group["params"]) for group in build_optimizer(config, network).param_groups) == len(trained)


def test_optimizers_are_those_that_are_named():
    kinds = {name: type(build_optimizer(TrainConfig(optimizer=name), tiny(2))) for name in ("adamw", "adam", "sgd")}
    assert kinds == {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    group = build_optimizer(TrainConfig(optimizer="sgd", nesterov=False), tiny(2)).param_groups[0]
    assert (group["momentum"], group["nesterov"]) == (0.9, False)


def test_weights_are_a_file_or_those_of_a_run(tmp_path):
    assert base_of(TrainConfig()) is None
    assert base_of(TrainConfig(tune="head")) is None
    assert base_of(TrainConfig(weights="pretrained")) is None
    (tmp_path / "checkpoint.pt").touch()
    assert base_of(TrainConfig(weights=str(tmp_path))) == tmp_path / "checkpoint.pt"
    (tmp_path / "weights.safetensors").touch()
    assert base_of(TrainConfig(weights=str(tmp_path))) == tmp_path / "weights.safetensors"
    assert base_of(TrainConfig(weights="other.bin")).name == "other.bin"


def test_settings_of_an_adapter_are_its_own():
    config = TrainConfig(tune="oft", bn="adapt", adapter={"blocks": 4})
    assert (adapter_of(config).kind, adapter_of(config).bn, adapter_of(config).blocks) == ("oft", "adapt", 4)
    with pytest.raises(ConfigurationError, match="speed"):
        adapter_of(TrainConfig(tune="oft", adapter={"speed": 4}))


def test_colours_are_those_that_timm_notes():
    network = tiny(2)
    assert colours_of(network) == (MEAN, STD)
    network.pretrained_cfg = {"mean": [0.5, 0.5, 0.5], "std": (0.5, 0.5, 0.5)}
    assert colours_of(network) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
