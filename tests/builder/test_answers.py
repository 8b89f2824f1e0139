"""Answers that are none, such as the page of a proxy or half of some JSON, are told as such."""

from __future__ import annotations

from pathlib import Path

import pytest

from fornet_hf import load_dataset
from fornet_hf.errors import UnreachableError
from fornet_hf.hub.listing import list_files
from tests.local_hub.faults import Fault
from tests.local_hub.state import Hub
from tests.published import FORNET

spoiled = pytest.mark.parametrize("kind", ["html", "half"])


@spoiled
@pytest.mark.parametrize("path", ["/tree/", f"/api/datasets/{FORNET}(/revision/|$)"])
def test_a_list_of_files(here: Path, published: Hub, quick: None, kind: str, path: str) -> None:
    published.inject(Fault(kind, path, times=None))
    with pytest.raises(UnreachableError, match="an answer that cannot be read"):
        list_files(FORNET)


@spoiled
def test_a_stream(here: Path, published: Hub, quick: None, kind: str) -> None:
    rows = load_dataset(FORNET, split="train", streaming=True)
    published.inject(Fault(kind, "/api/", method="", times=None))
    with pytest.raises(UnreachableError, match="an answer that cannot be read"):
        list(rows)
