"""Answers to images of a folder are those of timm's own data loader and network, file for file."""

import numpy as np
import pytest
from PIL import Image

from fornet_hf.evaluation.models import build, load

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm", reason="it is what is compared with", exc_type=ImportError)


@pytest.fixture
def images(tmp_path):
    """Class folders with JPEGs of odd sizes."""
    rng = np.random.default_rng(0)
    for number in range(40):
        width, height = rng.integers(20, 300, 2)
        coarse = rng.integers(0, 256, (rng.integers(2, 9), rng.integers(2, 9), 3), np.uint8)
        path = tmp_path / "images" / f"class{number % 4}" / f"{number:02d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize((int(width), int(height)), Image.Resampling.BICUBIC).save(path, quality=90)
    return tmp_path / "images"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # timm leaves files open
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_accuracy_is_that_of_timms_validation(images, tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("timm:test_resnet", 4).eval()
    torch.save(network.state_dict(), tmp_path / "net.pt")
    loaded = load(f"timm:test_resnet={tmp_path / 'net.pt'}")

    settings = timm.data.resolve_data_config({}, model=loaded.network, use_test_size=True)
    dataset = timm.data.create_dataset("", root=str(images))
    theirs, labels = [], []
    for batch, targets in timm.data.create_loader(
        dataset, batch_size=7, use_prefetcher=False, num_workers=0, device=torch.device("cpu"), **settings
    ):
        with torch.inference_mode():
            theirs.append(network(batch))
        labels.append(targets)
    theirs, labels = torch.cat(theirs), torch.cat(labels)

    paths = [images / file for file in dataset.filenames()]
    prepared = []
    for path in paths:
        with Image.open(path) as image:
            prepared.append(loaded.preprocessing.prepared(image.convert("RGB")))
    with torch.inference_mode():
        ours = loaded.logits(torch.from_numpy(np.stack(prepared)).float().div(255))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)
    usual = theirs.mean(0)  # as random weights have a favourite class
    ours, theirs = ours - usual, theirs - usual
    assert len(set(theirs.argmax(1).tolist())) > 1
    assert ours.argmax(1).tolist() == theirs.argmax(1).tolist()
    (top1,) = timm.utils.accuracy(theirs, labels, topk=(1,))
    assert 100 * (ours.argmax(1) == labels).double().mean().item() == pytest.approx(top1.item())
