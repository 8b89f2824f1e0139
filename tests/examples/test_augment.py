import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from fornet_hf import to_uint8  # noqa: E402
from fornet_hf.mixing.choosing import NAMES as MIXES  # noqa: E402
from fornet_hf.recombination.joint import moved  # noqa: E402
from tests.copies import Copies  # noqa: E402
from tests.torchvision_shim import import_torchvision  # noqa: E402
from training.augment import batch_transform, image_transform, normalized  # noqa: E402
from training.config import TrainConfig  # noqa: E402


@pytest.fixture
def photo():
    ramp = np.arange(32 * 32 * 3, dtype=np.uint32).reshape(32, 32, 3) % 256
    return Image.fromarray(ramp.astype(np.uint8))


@pytest.fixture(scope="module")
def torchvision():
    try:
        return import_torchvision()
    except ImportError:
        pytest.skip("needs torchvision")


def test_normalized_is_zero_for_the_mean_and_one_a_deviation_above():
    mean, above = (torch.tensor(v).view(3, 1, 1) * 255 for v in ((0.485, 0.456, 0.406), (0.714, 0.68, 0.631)))
    assert normalized(mean).abs().max() < 1e-6
    assert (normalized(above) - 1).abs().max() < 1e-5


def test_normalizing_does_not_wait_for_the_step_before():
    with Copies() as copies:
        normalized(torch.empty(2, 3, 4, 4, dtype=torch.uint8, device="meta"))
    assert copies.non_blocking == [True]


def test_nothing_is_done_unless_asked_for(photo):
    assert (image_transform(TrainConfig())(photo) == to_uint8(photo)).all()
    assert batch_transform(TrainConfig(), 10) is None


@pytest.mark.parametrize("name", ["randaugment", "3augment"])
def test_augmentations_change_the_image_and_follow_torchs_seed(name, photo, torchvision):
    transform = image_transform(TrainConfig(augment=name, color_jitter=0.3))
    first, second, again = (torch.manual_seed(seed) and transform(photo) for seed in (1, 2, 1))
    assert first.shape == (3, 32, 32)
    assert (first == again).all()
    assert (first != second).any()


def test_rotations_are_as_large_as_they_may(photo, torchvision):
    transform = image_transform(TrainConfig(rotate=90.0))
    torch.manual_seed(1)
    corners = [transform(photo)[:, 0, 0].sum().item() for _ in range(8)]
    assert 0 in corners  # nothing is beyond the image


def test_mixing_gives_shares_of_two_labels(torchvision):
    torch.manual_seed(0)
    mix = batch_transform(TrainConfig(mixup=0.8, cutmix=1.0), 10)
    images, labels = mix(torch.rand(4, 3, 8, 8), torch.tensor([1, 2, 3, 4]))
    assert images.shape == (4, 3, 8, 8)
    assert torch.allclose(labels.sum(1), torch.ones(4))
    assert ((labels > 0).sum(1) == 2).any()


def test_masks_follow_augmentations(photo, torchvision):
    transform = image_transform(TrainConfig(augment="randaugment", color_jitter=0.3))
    mask = Image.fromarray((np.asarray(photo)[..., 0] > 127).astype(np.uint8) * 255)
    for seed in range(5):
        torch.manual_seed(seed)
        image, moved_mask = moved(transform, photo, mask)
        torch.manual_seed(seed)
        assert (transform(photo) == image).all()
        assert (image.dtype, moved_mask.dtype, moved_mask.shape) == (torch.uint8, torch.uint8, (1, 32, 32))


@pytest.mark.parametrize("mix", MIXES)
def test_every_mix_gives_images_and_targets_by_seed_epoch_step_and_rank(mix, monkeypatch):
    batch = torch.rand(6, 3, 8, 8), torch.arange(6) % 5, torch.zeros(6, 1, 8, 8, dtype=torch.uint8)

    def mixed(epoch, step=0, rank=0, **values):
        monkeypatch.setenv("RANK", str(rank))
        transform = batch_transform(TrainConfig(mix=mix, **values), 5)
        transform.set_epoch(epoch, 10, step)
        return transform(*batch)[:2]

    images, targets = mixed(0)
    assert torch.allclose(targets.sum(1), torch.ones(6))
    assert (images != batch[0]).any()
    assert torch.equal(mixed(0)[0], images)
    for other in (mixed(1), mixed(0, step=1), mixed(0, rank=1), mixed(0, seed=1)):
        assert not torch.equal(other[0], images)
    assert torch.equal(mixed(9, mix_options={"off_for_last": 1})[0], batch[0])


@pytest.mark.parametrize("turns", [True, False])
def test_methods_are_taken_in_turn_or_drawn(turns):
    mix = batch_transform(TrainConfig(mix="mixup+fmix", mix_in_turn=turns), 5)
    batch = torch.rand(6, 3, 8, 8), torch.arange(6) % 5
    mix.set_epoch(0, 10)
    cut = []  # FMix leaves pixels as they are, MixUp blends them
    for _ in range(12):
        images = mix(*batch)[0]
        cut.append(bool((images[:, None] == batch[0][None]).all(2).any(1).all()))
    assert (cut == [False, True] * 6) is turns
    assert len(set(cut)) == 2


def test_alphas_are_those_of_their_methods():
    config = TrainConfig(mix="alternate", mixup=0.8, mix_options={"alpha": 0.2, "max_soft": 0.1})
    assert {method.method: method.alpha for method in config.methods} == {"fmix": 0.2, "cutmix": 0.2, "mixup": 0.8}
    assert config.methods[0].max_soft == 0.1
    assert TrainConfig(mix="cutmix").methods[0].alpha == 1.0
