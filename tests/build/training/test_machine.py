import pytest

from fornet_hf.errors import ConfigurationError
from producers.training.machine import accelerator, mean_gradients, share

torch = pytest.importorskip("torch")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said_and_how_to_do_without():
    with pytest.raises(ConfigurationError, match=r"torch sees no GPU.*--device cpu"):
        accelerator("cuda", "bfloat16")


@pytest.mark.parametrize(("device", "precision"), [("tpu", "float32"), ("cpu", "float16")])
def test_what_cannot_train_is_said(device, precision):
    with pytest.raises(ConfigurationError, match="cannot train"):
        accelerator(device, precision)


def test_processes_share_a_batch_in_equal_parts():
    assert [share(range(6), rank, 3) for rank in range(3)] == [range(2), range(2, 4), range(4, 6)]
    with pytest.raises(ConfigurationError, match="a multiple of the 4 processes"):
        share(range(6), 0, 4)


def test_gradients_become_the_mean_of_all_processes():
    """The other one has gradients that are larger by 2."""

    class Machine:
        num_processes = 2

        @staticmethod
        def reduce(tensor, reduction):
            assert reduction == "mean"
            return (tensor + (tensor + 2)) / 2

    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    module(torch.ones(4, 2)).sum().backward()
    module[1].bias.grad = None
    before = {name: one.grad.clone() for name, one in module.named_parameters() if one.grad is not None}
    mean_gradients(Machine(), module)
    after = {name: one.grad for name, one in module.named_parameters() if one.grad is not None}
    assert len(after) == 3
    for name, one in before.items():
        torch.testing.assert_close(after[name], one + 1)
