"""Which weights are used: the commit that a branch means now, and everything from that one."""

import json
from types import SimpleNamespace

import pytest
from huggingface_hub import constants
from huggingface_hub.errors import GatedRepoError

from fornet_hf.errors import ConfigurationError, MissingDependencyError, NotFoundError
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, from_hub, name_of, network_from_hub
from producers.registry import Choice, find
from tests.build import tiny_models

OLD, NEW = "c" * 40, "d" * 40


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the Hub's files, and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def commit(cache, model, name, branch="main"):
    """The folder of a commit, which the branch then names."""
    repository = cache / f"models--{model.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True, exist_ok=True)
    (repository / "refs" / branch).write_text(name)
    snapshot = repository / "snapshots" / name
    snapshot.mkdir(parents=True, exist_ok=True)
    return snapshot


def test_a_branch_is_the_commit_that_it_names_now(cache):
    for name, branch in ((OLD, "main"), (OLD, "v1"), (NEW, "main")):
        (commit(cache, "me/model", name, branch) / "config.json").write_text("{}")
    assert commit_of("me/model", None) == commit_of("me/model", "main") == commit_of("me/model", NEW) == NEW
    assert commit_of("me/model", "v1") == commit_of("me/model", OLD) == OLD


def test_a_folder_has_no_commit_but_a_digest(tmp_path):
    assert commit_of(str(tmp_path), "main") is None
    assert name_of(str(tmp_path), None) == "local"
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    assert name_of(str(tmp_path), None).startswith("sha256:")
    assert name_of("me/model", OLD) == OLD


def test_a_revision_that_is_not_there_says_what_to_type(cache):
    (commit(cache, "me/model", OLD) / "config.json").write_text("{}")
    with pytest.raises(NotFoundError, match="hf download me/model --revision v2"):
        commit_of("me/model", "v2")


def test_gated_weights_say_where_their_licence_is_accepted():
    def load(model, *, revision):
        raise GatedRepoError(f"Access to {model} is restricted.", response=SimpleNamespace(headers={}, request=None))

    with pytest.raises(NotFoundError, match=r"https://huggingface\.co/me/model and log in: hf auth login\. Fetch it"):
        from_hub(load, "me/model", None)


def test_all_files_are_of_one_commit_though_the_branch_moves(cache):
    """While the first file is being loaded, somebody pushes."""
    (commit(cache, "me/model", OLD) / "config.json").write_text("{}")
    loaded = []
    found = commit_of("me/model", None)
    for _ in range(2):
        from_hub(lambda model, revision: loaded.append(revision), "me/model", found)
        (commit(cache, "me/model", NEW) / "config.json").write_text("{}")
    assert loaded == [OLD, OLD]


def sam_file(folder, shift):
    model = tiny_models.hub_sam()
    for parameter in model.parameters():
        parameter.data.add_(shift)
    model.save_pretrained(folder)


def test_a_model_newer_than_transformers_says_what_to_type(tmp_path):
    pytest.importorskip("transformers", reason="it knows its models")
    from producers.detect.grounding_dino import GroundingDino

    (tmp_path / "config.json").write_text(json.dumps({"model_type": "grounding-dino-2099"}))
    with pytest.raises(MissingDependencyError, match="pip install -U transformers"):
        GroundingDino.load(Placement(), str(tmp_path))


@pytest.mark.parametrize("other", ["sam2", "sam3"])
def test_weights_of_another_network_are_refused(other, tmp_path):
    pytest.importorskip("transformers", reason="networks are of transformers")
    from tests.build import tiny_segmenters

    made = getattr(tiny_segmenters, other)()
    (made[0] if isinstance(made, tuple) else made).save_pretrained(tmp_path)
    for name in {"sam-hf", "sam2", "sam3", "owlv2"} - {other}:
        role = "detector" if name == "owlv2" else "segmenter"
        with pytest.raises(ConfigurationError, match="has the weights of another network"):
            find(role, name).load(Choice(name, str(tmp_path)))


def test_grounding_dino_refuses_another_detector(tmp_path):
    pytest.importorskip("transformers", reason="networks are of transformers")
    from tests.build import tiny_detectors

    tiny_detectors.owlv2()[0].save_pretrained(tmp_path)
    with pytest.raises(ConfigurationError, match=r"another network; found owlv2; allowed: .*mm-grounding"):
        find("detector", "grounding-dino").load(Choice("grounding-dino", str(tmp_path)))


def test_networks_are_in_float32_whatever_their_weights_are_in(tmp_path):
    pytest.importorskip("transformers", reason="SAM of the Hub needs transformers")
    import torch
    from transformers import Sam2Model

    from tests.build import tiny_segmenters

    tiny_segmenters.sam2().to(torch.bfloat16).save_pretrained(tmp_path)
    assert network_from_hub(Sam2Model.from_pretrained, str(tmp_path), None).dtype == torch.float32


def test_sam_names_its_commit_and_notices_another(cache):
    pytest.importorskip("transformers", reason="SAM of the Hub needs transformers")
    from producers.segment import sam

    def loaded(revision=None):
        segmenter = sam.load_from_hub(Placement(), "me/sam", revision)
        total = sum(float(one.detach().double().sum()) for one in segmenter.network._model.parameters())
        return segmenter.identity.revision, total

    sam_file(commit(cache, "me/sam", OLD), 0)
    old = loaded()
    sam_file(commit(cache, "me/sam", NEW), 0.1)
    new = loaded()
    assert (old[0], new[0]) == (OLD, NEW)
    assert old[1] != new[1]
    assert loaded(OLD) == old


def test_grounding_dino_names_its_commit(cache):
    pytest.importorskip("transformers", reason="GroundingDINO needs transformers")
    from producers.detect.grounding_dino import GroundingDino

    folder = commit(cache, "me/dino", OLD)
    for part in tiny_models.grounding_dino():
        part.save_pretrained(folder)
    size = {"shortest_edge": 64, "longest_edge": 128}
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": size}))
    identity = GroundingDino.load(Placement(), "me/dino").identity
    assert (identity.model, identity.revision) == ("me/dino", OLD)
    assert dict(identity.settings)["shorter"] == 64


def test_attentive_eraser_names_its_commit(cache):
    pytest.importorskip("diffusers", reason="Attentive Eraser needs diffusers")
    from producers.infill.attentive_eraser import AttentiveEraser

    tiny_models.sdxl_folder(commit(cache, "me/sdxl", OLD))
    assert AttentiveEraser.load(Placement(), "me/sdxl").identity.revision == OLD
