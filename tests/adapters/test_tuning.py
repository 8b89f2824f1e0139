"""A tuned network begins as its base, learns nothing but its adapter and head, and merges into a plain network."""

import copy
import dataclasses
import pickle

import pytest

from fornet_hf.errors import ConfigurationError

torch = pytest.importorskip("torch")
pytest.importorskip("peft", exc_type=ImportError)
from torch import nn  # noqa: E402

from fornet_hf.adapters import AdapterConfig, merge, mergeable, restore, save, trainable, tune  # noqa: E402
from tests.adapters.networks import small, step, stir  # noqa: E402

IMAGES = torch.rand(4, 3, 16, 16)
CONFIGS = {
    "lora": AdapterConfig(kind="lora"),
    "oft": AdapterConfig(kind="oft", blocks=3, targets=("0.0", "0.3", "0.8")),
    "head": AdapterConfig(kind="head"),
    "full": AdapterConfig(kind="full"),
}
KINDS = pytest.mark.parametrize("kind", CONFIGS)


def same(one, other):
    torch.testing.assert_close(one.eval()(IMAGES), other.eval()(IMAGES), rtol=1e-4, atol=1e-5)


@KINDS
def test_it_begins_as_the_base(kind):
    torch.testing.assert_close(tune(small(), CONFIGS[kind]).eval()(IMAGES), small().eval()(IMAGES), rtol=0, atol=1e-6)


@KINDS
def test_merged_it_answers_the_same_with_the_names_of_the_base(kind):
    network = stir(tune(small(), CONFIGS[kind]))
    names = list(network.state_dict())
    merged = merge(network)
    same(merged, network)
    assert list(network.state_dict()) == names
    assert list(merged.state_dict()) == list(small().state_dict())
    assert [type(module) for module in merged.modules()] == [type(module) for module in small().modules()]
    with pytest.raises(AssertionError):
        same(merged, small())


@KINDS
def test_a_step_moves_what_is_trained_and_nothing_else(kind):
    network = tune(small(), CONFIGS[kind])
    before = copy.deepcopy(network.state_dict())
    step(network, IMAGES)
    moved = {name for name, tensor in network.state_dict().items() if not tensor.equal(before[name])}
    learnt = {name for name, _ in trainable(network)}
    zero_gradient = {name for name in learnt if ".lora_A." in name}  # as B is 0
    assert learnt - zero_gradient <= moved | {"0.0.bias", "0.3.bias"}
    assert moved <= learnt


@pytest.mark.parametrize(("bn", "moves"), [("freeze", False), ("adapt", True)])
def test_statistics_move_only_where_they_are_to_adapt(bn, moves):
    network = tune(small(), AdapterConfig(kind="head", bn=bn))
    assert network[0][1].training == moves
    step(network, IMAGES)
    assert network[0][1].training == moves
    assert network[0][1].running_mean.equal(small()[0][1].running_mean) != moves
    assert merge(network).train()[0][1].training


@KINDS
def test_a_copy_and_a_state_dict_keep_the_adapter(kind):
    network = stir(tune(small(), CONFIGS[kind]))
    copied = copy.deepcopy(network)
    same(copied, network)
    step(copied, IMAGES)
    assert not copied[0][1].training
    with pytest.raises(AssertionError):
        same(copied, network)
    copied.load_state_dict(network.state_dict())
    same(copied, network)


@pytest.mark.parametrize("kind", ["lora", "oft"])
def test_what_a_step_leaves_out_is_merged_all_the_same(kind):
    config = dataclasses.replace(CONFIGS[kind], dropout=0.9)
    network = stir(tune(small(), config)).train()
    same(merge(network), network)


def test_lora_on_groups_is_not_merged_and_must_fit_them():
    config = AdapterConfig(kind="lora", targets=("0.3",), rank=4)
    network = stir(tune(small(), config))
    assert not mergeable(network)
    assert mergeable(tune(small(), CONFIGS["lora"]))
    with pytest.raises(ConfigurationError, match=r"grouped convolutions cannot be merged; found 0\.3"):
        merge(network)
    with pytest.raises(ConfigurationError, match=r"0\.3: its 2 groups do not divide rank 3"):
        tune(small(), AdapterConfig(kind="lora", targets=("0.3",), rank=3))


def test_a_second_adapter_is_refused():
    with pytest.raises(ConfigurationError, match="the network has an adapter already"):
        tune(tune(small(), CONFIGS["lora"]), CONFIGS["oft"])


class Attention(nn.Module):
    """Reads weights without calling their layers: torch's the last, ours the first."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, tokens):
        tokens = nn.functional.linear(tokens, self.first.weight)
        return self.head(self.attention(tokens, tokens, tokens)[0].mean(1))


@pytest.mark.parametrize("kind", ["lora", "oft"])
def test_who_reads_a_weight_without_its_layer_sees_the_adapter(kind):
    base, tokens = Attention(), torch.rand(2, 5, 8)
    answer = base(tokens)
    network = tune(base, AdapterConfig(kind=kind, blocks=2, targets=("first", "attention.out_proj")))
    torch.testing.assert_close(network(tokens), answer)
    stir(network)
    network(tokens).sum().backward()
    assert all(parameter.grad.abs().max() > 0 for _, parameter in trainable(network))
    for one in (network.train(), network.eval()):
        torch.testing.assert_close(merge(network)(tokens), one(tokens), rtol=1e-4, atol=1e-5)


class Sharing(nn.Module):
    """Its second layer is its first, its third has the weight of the first, and there is another one."""

    def __init__(self, classes=8):
        super().__init__()
        self.first, self.third, self.own, self.head = (nn.Linear(8, side) for side in (8, 8, 8, classes))
        self.second, self.third.weight = self.first, self.first.weight

    def forward(self, inputs):
        return self.head(self.own(self.third(self.second(self.first(inputs).relu()).relu())).relu())


@pytest.mark.parametrize("kind", CONFIGS)
def test_shared_weights_are_tuned_as_one_or_not_at_all(kind, tmp_path):
    config, inputs = AdapterConfig(kind=kind, blocks=2), torch.rand(3, 8)
    base = Sharing()
    network = stir(tune(copy.deepcopy(base), config)).eval()
    torch.testing.assert_close(merge(network)(inputs), network(inputs))
    save(network, config, tmp_path)
    torch.testing.assert_close(restore(base, tmp_path)(inputs), network(inputs))


@pytest.mark.parametrize("kind", ["lora", "oft"])
def test_a_layer_with_a_shared_weight_has_no_adapter(kind):
    with pytest.raises(ConfigurationError, match="first: its weight is shared"):
        tune(Sharing(), AdapterConfig(kind=kind, blocks=2, targets=("first",)))


def test_frozen_layers_stay_frozen_from_a_pickle():
    network = tune(small(), CONFIGS["head"])
    assert not pickle.loads(pickle.dumps(network)).train()[0][1].training
