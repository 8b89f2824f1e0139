import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from tests.torchvision_shim import import_torchvision  # noqa: E402
from training.augment import ToBytes, batch_transform, image_transform, normalized  # noqa: E402
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


def test_bytes_are_the_image(photo):
    tensor = ToBytes()(photo)
    assert tensor.dtype == torch.uint8
    assert (tensor.permute(1, 2, 0).numpy() == np.asarray(photo)).all()


def test_normalized_is_zero_for_the_mean_and_one_a_deviation_above():
    mean, above = (torch.tensor(v).view(3, 1, 1) * 255 for v in ((0.485, 0.456, 0.406), (0.714, 0.68, 0.631)))
    assert normalized(mean).abs().max() < 1e-6
    assert (normalized(above) - 1).abs().max() < 1e-5


def test_nothing_is_done_unless_asked_for():
    assert image_transform(TrainConfig()) == ToBytes()
    assert batch_transform(TrainConfig(), 10) is None


@pytest.mark.parametrize("name", ["randaugment", "3augment"])
def test_augmentations_change_the_image_and_follow_torchs_seed(name, photo, torchvision):
    transform = image_transform(TrainConfig(augment=name, color_jitter=0.3))
    first, second, again = (torch.manual_seed(seed) and transform(photo) for seed in (1, 2, 1))
    assert first.shape == (3, 32, 32)
    assert (first == again).all()
    assert (first != second).any()


def test_mixing_gives_shares_of_two_labels(torchvision):
    torch.manual_seed(0)
    mix = batch_transform(TrainConfig(mixup=0.8, cutmix=1.0), 10)
    images, labels = mix(torch.rand(4, 3, 8, 8), torch.tensor([1, 2, 3, 4]))
    assert images.shape == (4, 3, 8, 8)
    assert torch.allclose(labels.sum(1), torch.ones(4))
    assert ((labels > 0).sum(1) == 2).any()
