"""Who may read the source, and what the others are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from fornet_hf import load_dataset
from fornet_hf.errors import AccessError, NotFoundError
from tests.builder.user import SCRIPT, WAYS, User, needs_scripts
from tests.local_hub.state import Hub
from tests.published import FORNET

ALICE, BOB = "hf_alice_write", "hf_bob_write"
NO_ACCESS = "ILSVRC/imagenet-1k is gated and your account has no access to it. Ask for access at http"
REASONS = [
    (None, "ILSVRC/imagenet-1k is gated and you are not logged in. Ask for access at http"),
    ("hf_bob_write", NO_ACCESS),
    ("hf_wrong", "the Hub does not accept your token for ILSVRC/imagenet-1k. Log in again with `hf auth login`"),
]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(("token", "says"), REASONS, ids=["nobody", "bob", "wrong"])
def test_those_who_may_not_read_the_source_are_told_why(
    here: Path, published: Hub, monkeypatch: pytest.MonkeyPatch, token: str | None, says: str, streaming: bool
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    if token not in (None, *published.users):  # the release is public, but a wrong token is refused everywhere
        says = says.replace("ILSVRC/imagenet-1k", FORNET)
    with pytest.raises(AccessError) as caught:
        next(iter(load_dataset(FORNET, split="train", cache_dir=here, streaming=streaming)))
    assert says in str(caught.value)
    assert "hf_" not in str(caught.value)


def test_a_token_given_as_parameter_counts(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(AccessError, match=NO_ACCESS):
        load_dataset(FORNET, split="train", cache_dir=here, token=BOB)
    assert len(load_dataset(FORNET, split="train", cache_dir=here, token=ALICE)) == 12
    monkeypatch.setenv("HF_TOKEN", "hf_alice_write")
    with pytest.raises(AccessError, match="you are not logged in"):
        load_dataset(FORNET, split="validation", cache_dir=here, token=False)


def test_a_dataset_that_is_not_there_is_named(here: Path) -> None:
    with pytest.raises(NotFoundError, match=r"there is no dataset someone/nothing that you can see\. Check the name"):
        load_dataset("someone/nothing", split="train", cache_dir=here)


@pytest.mark.parametrize("way", WAYS)
def test_our_message_is_the_last_thing_to_be_read(published: Hub, tmp_path: Path, way: str) -> None:
    bob = User(published, tmp_path / "bob", "hf_bob_write")
    loaded, streamed = bob.run((way, {}), (way, {"streaming": True}))
    for result in (loaded, streamed):
        assert result["error"] == "AccessError"
        assert result["last"].startswith("fornet_hf.errors.AccessError: " + NO_ACCESS)


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_number_of_workers_is_named(alice: User, way: str) -> None:
    user = User(alice.hub, alice.home, alice.token, {"MAX_WORKERS": "abc"})
    last = user.load(way)["last"]
    assert "MAX_WORKERS is not a number of workers; found 'abc'; allowed: 1, 2, 3, .... Set it like" in last


@needs_scripts
def test_no_trace_of_the_token_is_kept(alice: User) -> None:
    alice.load(SCRIPT, background_combination="same")
    files = [path for path in alice.home.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if b"hf_alice_write" in path.read_bytes()] == []
