import torch

from producers.diffusion.noise import normal


def test_noise_depends_on_its_names_alone():
    first = normal((4, 8, 8), "noise", 0, "n01440764_1", 21)
    normal((3,), "something", "else")
    torch.manual_seed(5)
    assert torch.equal(first, normal((4, 8, 8), "noise", 0, "n01440764_1", 21))
    others = [("noise", 1, "n01440764_1", 21), ("noise", 0, "n01440764_2", 21), ("noise", 0, "n01440764_1", 41)]
    for other in others:
        assert (normal((4, 8, 8), *other) != first).all()


def test_noise_is_standard_normal():
    values = normal((200_000,), "many")
    assert values.dtype == torch.float32
    assert abs(values.mean()) < 0.01
    assert abs(values.std() - 1) < 0.01
