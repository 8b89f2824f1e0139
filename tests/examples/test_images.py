import io

import datasets
import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from fornet_hf.errors import ConfigurationError, NotFoundError  # noqa: E402
from fornet_hf.evaluation.models.preprocessing import Preprocessing  # noqa: E402
from tests.torchvision_shim import import_torchvision  # noqa: E402
from training.config import TrainConfig  # noqa: E402
from training.data import open_data  # noqa: E402
from training.images import open_images  # noqa: E402
from training.processes import Place  # noqa: E402

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)


@pytest.fixture(scope="module", autouse=True)
def torchvision():
    try:
        import_torchvision()
    except ImportError:
        pytest.skip("needs torchvision")


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A folder that `datasets` loads, with the columns of CIFAR-10 on the Hub, and of CIFAR-100's kind."""
    root = tmp_path_factory.mktemp("cifar")
    names = {"img": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
    features = datasets.Features({**names, "coarse": datasets.ClassLabel(names=["animal"])})
    for split, rows in (("train", range(4)), ("test", range(4, 6))):
        columns = {"img": [png(row) for row in rows], "label": [row % 2 for row in rows], "coarse": [0] * len(rows)}
        datasets.Dataset.from_dict(columns, features).to_parquet(root / f"{split}-00000-of-00001.parquet")
    return root


def png(row):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS[row]).save(buffer, "PNG")
    return {"bytes": buffer.getvalue(), "path": None}


@pytest.fixture
def config(repository, tmp_path):
    def make(**values):
        settings = {"size": 32, "crop": "padded", "batch_size": 2, "workers": 0, "cache_dir": str(tmp_path / "cache")}
        return TrainConfig(**{"images": str(repository), **settings, **values})

    return make


def test_a_repository_is_read_by_the_kinds_of_its_columns(config):
    images = open_images(config(), "validation")
    assert images.classes == ("cat", "dog")
    assert list(images.labels) == [0, 1]
    assert torch.equal(images[1]["image"], torch.from_numpy(PIXELS[5].transpose(2, 0, 1)))


def test_training_moves_and_flips(config):
    images = open_images(config(), "train")
    torch.manual_seed(0)
    shown = torch.stack([images[0]["image"] for _ in range(40)])
    assert shown.shape == (40, 3, 32, 32)
    assert len({tuple(one.flatten().tolist()) for one in shown}) > 30
    whole = torch.from_numpy(PIXELS[0].transpose(2, 0, 1).copy())
    padded = torch.nn.functional.pad(whole, (4, 4, 4, 4))
    windows = [padded[:, y : y + 32, x : x + 32] for y in range(9) for x in range(9)]
    windows += [window.flip(2) for window in windows]
    assert all(any(torch.equal(one, window) for window in windows) for one in shown)


def test_a_square_in_the_middle_is_what_evaluation_shows(config, tmp_path):
    for split in ("train", "val"):
        (tmp_path / "tree" / split / "00_dog").mkdir(parents=True)
        Image.fromarray(np.tile(PIXELS[0], (1, 2, 1))).save(tmp_path / "tree" / split / "00_dog" / "1.png")
    values = {"images": str(tmp_path / "tree"), "size": 16, "flip": 0.0, "crop": "centre"}
    shown = open_images(TrainConfig(**values), "train")[0]["image"].int()
    wanted = open_images(TrainConfig(**values), "validation")[0]["image"]
    image = Image.fromarray(np.tile(PIXELS[0], (1, 2, 1)))
    prepared = Preprocessing(size=16, crop=1.0, interpolation="bilinear").prepared(image)
    assert torch.equal(wanted, torch.from_numpy(prepared))
    assert (shown - wanted).abs().max() <= 1


def test_processes_share_the_images(config):
    data = [open_data(config(), Place(rank, 2, 0)) for rank in range(2)]
    assert (data[0].classes, data[0].images) == (2, 4)
    assert len({*data[0].train.sampler, *data[1].train.sampler}) == 4
    assert [len(one.evaluations["images"].dataset) for one in data] == [1, 1]
    data[0].set_epoch(1)
    batch = next(iter(data[0].train))
    assert (batch["image"].dtype, batch["image"].shape) == (torch.uint8, (1, 3, 32, 32))


def test_what_has_no_labelled_images_is_named(tmp_path, config):
    with pytest.raises(NotFoundError, match="no images in"):
        open_images(config(images=str(tmp_path / "nothing")), "train")
    datasets.Dataset.from_dict({"text": ["a", "b"]}).to_parquet(tmp_path / "texts" / "train.parquet")
    with pytest.raises(ConfigurationError, match="no labelled images"):
        open_images(config(images=str(tmp_path / "texts")), "train")
    with pytest.raises(NotFoundError, match="has no images for validation"):
        open_images(config(images=str(tmp_path / "texts")), "validation")
