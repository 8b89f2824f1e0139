import pytest

pytest.importorskip("huggingface_hub")

from huggingface_hub import constants

from fornet_hf.errors import ConfigurationError, NotFoundError
from producers.diffusion.concepts import Concepts


def test_prompts_come_back_from_a_folder(tmp_path):
    concepts = Concepts.of("zaunkönig")
    concepts.write(tmp_path)
    assert Concepts.read(str(tmp_path)) == concepts
    assert concepts == Concepts(object="a photo of a zaunkönig", background="a photo of a background")


def test_a_model_without_prompts_says_what_makes_one(tmp_path, monkeypatch):
    with pytest.raises(ConfigurationError, match=r"no concepts\.json.*finetune_background\.py"):
        Concepts.read(str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(NotFoundError, match=r"was not fine-tuned.*give a prompt.*hf download nobody/nothing"):
        Concepts.read("nobody/nothing")
