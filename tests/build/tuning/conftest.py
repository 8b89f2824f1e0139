"""The real classes of diffusers; a tiny Stable Diffusion, images of squares, and their posteriors."""

from importlib.util import find_spec

import numpy as np
import pytest

from tests.one_thread import one_thread
from tests.torchvision_shim import import_torchvision

__all__ = ["one_thread"]

if find_spec("torch") and find_spec("torchvision") and find_spec("diffusers"):
    import_torchvision()
else:
    collect_ignore_glob = ["*"]


@pytest.fixture(scope="package")
def weights(tmp_path_factory):
    """Folder of a tiny Stable Diffusion, of which few layers are left: steps of training take a moment."""
    from tests.build import tiny_models

    return tiny_models.stable_diffusion_folder(
        tmp_path_factory.mktemp("weights") / "tiny",
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )


@pytest.fixture(scope="package")
def drawn(tmp_path_factory):
    """Folders of images, bright squares on dark ground, and of the squares' masks; one image is damaged."""
    from PIL import Image

    root = tmp_path_factory.mktemp("drawn")
    images, masks = root / "images", root / "masks"
    images.mkdir()
    masks.mkdir()
    rng = np.random.default_rng(0)
    for number in range(6):
        height, width = ((70, 90), (64, 64), (100, 80))[number % 3]
        raster = rng.integers(0, 60, (height, width, 3), dtype=np.uint8)
        mask = np.zeros((height, width), bool)
        top, left = rng.integers(5, 30, 2)
        mask[top : top + 20, left : left + 20] = True
        raster[mask] += 180
        Image.fromarray(raster).save(images / f"{number}.png")
        Image.fromarray(mask).save(masks / f"{number}.png")
    (images / "5.png").write_bytes(b"no image")
    return images, masks


@pytest.fixture(autouse=True)
def fresh_accelerate():
    """Let each test choose its precision, which accelerate keeps for the process."""
    yield
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
