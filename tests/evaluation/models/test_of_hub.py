"""Classifiers of transformers: their own preprocessing, whatever the class of their processor, names and commits."""

import json

import numpy as np
import pytest
from huggingface_hub import constants
from PIL import Image

from fornet_hf.errors import ConfigurationError, UnreachableError
from fornet_hf.evaluation.models import build, load
from fornet_hf.evaluation.models.classifier import weights_digest
from fornet_hf.evaluation.models.of_hub import preprocessing_of
from fornet_hf.evaluation.models.preprocessing import Preprocessing

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", exc_type=ImportError)

COMMIT = "c" * 40
ALIKE = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.25, 0.2, 0.3], "resample": 2}


def save_vit(folder):
    """A tiny model of transformers as a repository has it."""
    from transformers import ViTConfig, ViTForImageClassification

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = ViTForImageClassification(ViTConfig(**sizes, image_size=32, patch_size=16, num_labels=5))
    network.save_pretrained(folder)
    images = {"size": {"height": 32, "width": 32}, "resample": 2, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
    settings = {"image_processor_type": "ViTImageProcessor", "do_resize": True, **images}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return network.eval()


PROCESSORS = {
    "ViT": ({"size": {"height": 64, "width": 64}}, (64, 1.0, True)),
    "Bit": ({"size": {"shortest_edge": 64}, "crop_size": {"height": 56, "width": 56}}, (56, 0.875, False)),
    "CLIP": ({"size": {"shortest_edge": 64}, "crop_size": {"height": 64, "width": 64}}, (64, 1.0, False)),
    "DeiT": (
        {"size": {"height": 64, "width": 64}, "crop_size": {"height": 56, "width": 56}, "do_center_crop": True},
        (56, 0.875, True),
    ),
    "ConvNext": ({"size": {"shortest_edge": 224}, "crop_pct": 0.875}, (224, 0.875, False)),
    "ConvNext at 384": ({"size": {"shortest_edge": 384}, "crop_pct": 0.875}, (384, 1.0, True)),
    "Levit": ({"size": {"shortest_edge": 56}, "crop_size": {"height": 56, "width": 56}}, (56, 0.875, False)),
}


@pytest.mark.parametrize("name", PROCESSORS)
def test_images_are_those_of_the_processor(name):
    settings, (size, crop, squash) = PROCESSORS[name]
    kind = getattr(transformers, f"{name.partition(' ')[0]}ImageProcessorPil")
    processor = kind(**settings, **ALIKE)
    ours = preprocessing_of(processor)
    assert (ours.size, ours.crop, ours.squash, ours.interpolation) == (size, crop, squash, "bilinear")
    for shape in ((200, 132), (132, 200), (96, 96), (68, 60)):
        image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (shape[1], shape[0], 3), np.uint8))
        seen = processor(image, return_tensors="np")["pixel_values"][0]
        mean, std = (np.array(one)[:, None, None] for one in (ours.mean, ours.std))
        theirs = ((seen * std + mean) * 255).round()
        exact = ours.prepared(image).astype(float)
        aside = [np.roll(exact, by, axis) for by in (0, 1) for axis in (1, 2)]  # its middle is rounded down
        within = (slice(None), slice(1, None), slice(1, None))
        assert any(np.abs(one - theirs)[within].max() <= 1 for one in aside), shape


def test_a_processor_that_does_something_else_is_refused():
    flipped = transformers.MobileViTImageProcessorPil(
        size={"shortest_edge": 64}, crop_size={"height": 56, "width": 56}
    )
    with pytest.raises(ConfigurationError, match=r"something else; found MobileViTImageProcessorPil.*package.module"):
        preprocessing_of(flipped)


def test_a_model_of_timm_in_a_wrapper_has_timms_preprocessing():
    cfg = {"input_size": (3, 160, 160), "crop_pct": 0.95, "interpolation": "bicubic", "crop_mode": "squash"}
    processor = transformers.TimmWrapperImageProcessor(pretrained_cfg=cfg)
    assert preprocessing_of(processor) == Preprocessing(size=160, crop=0.95, squash=True)


def test_names_of_outputs_are_known_if_they_are_real(tmp_path):
    network = save_vit(tmp_path)
    assert load(f"hf:{tmp_path}").names == ()
    network.config.id2label = {0: "cat", 1: "dog", 2: "fish", 3: "ape", 4: "bee"}
    network.config.save_pretrained(tmp_path)
    loaded = load(f"hf:{tmp_path}")
    assert loaded.names == ("cat", "dog", "fish", "ape", "bee")
    assert loaded.outputs == 5


def test_a_network_without_a_trained_last_layer_is_refused(tmp_path):
    network = save_vit(tmp_path)
    network.base_model.save_pretrained(tmp_path)
    with pytest.raises(ConfigurationError, match=r"no weights for all layers.*classifier\.bias"):
        load(f"hf:{tmp_path}")


def test_a_folder_that_save_pretrained_wrote_is_a_checkpoint(tmp_path):
    save_vit(tmp_path / "base")
    network = transformers.AutoModelForImageClassification.from_pretrained(
        tmp_path / "base", num_labels=2, id2label={0: "cat", 1: "dog"}, ignore_mismatched_sizes=True
    ).eval()
    network.save_pretrained(tmp_path / "tuned")
    loaded = load(f"hf:{tmp_path / 'base'}={tmp_path / 'tuned'}")
    assert loaded.names == ("cat", "dog")
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(loaded.network(images), network(images).logits)


def test_a_folder_of_transformers_is_named_by_its_digest(tmp_path):
    network = save_vit(tmp_path)
    loaded = load(f"hf:{tmp_path}")
    assert loaded.preprocessing == Preprocessing(
        size=32, crop=1.0, squash=True, interpolation="bilinear", mean=(0.5,) * 3, std=(0.25,) * 3
    )
    assert loaded.revision == f"sha256:{weights_digest(network)}"
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(loaded.logits(images), network((images - 0.5) / 0.25).logits)


def test_damaged_weights_are_told(tmp_path):
    save_vit(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ConfigurationError, match=f"the weights of hf:{tmp_path} are damaged"):
        load(f"hf:{tmp_path}")


def test_a_repository_is_named_by_its_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    (tmp_path / "models--me--vit" / "refs").mkdir(parents=True)
    (tmp_path / "models--me--vit" / "refs" / "main").write_text(COMMIT)
    save_vit(tmp_path / "models--me--vit" / "snapshots" / COMMIT)
    assert load("hf:me/vit").revision == load(f"hf:me/vit@{COMMIT}").revision == f"me/vit@{COMMIT}"
    assert build("hf:me/vit", 3)(torch.rand(2, 3, 32, 32)).shape == (2, 3)
    with pytest.raises(UnreachableError, match="me/other"):
        load("hf:me/other")


@pytest.mark.parametrize("make", [load, lambda name: build(name, 5)])
def test_a_model_that_classifies_no_images_is_refused(make, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ConfigurationError, match="no image classifier"):
        make(f"hf:{tmp_path}")
