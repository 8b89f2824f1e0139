"""Every public name shows how it is used, and what it shows is true."""

from __future__ import annotations

import json

import pytest

import fornet_hf
from tests.local_hub.client import hub_environment, output_of

NOWHERE = "http://127.0.0.1:9"
NEED_TORCH = {"Compositor", "DeviceLoader", "collate", "to_tensor", "to_uint8"}
NAMES = dir(fornet_hf)
PROGRAM = """
import doctest, json, sys
import fornet_hf
from fornet_hf.cli import main

main(["apply", "-p", "demo/made/patches", "-in", "demo/pictures", "-o", "fornet", "--split", "train"])
said = {}
for name in dir(fornet_hf):
    try:
        text = getattr(fornet_hf, name).__doc__
    except fornet_hf.ForNetError:  # it needs torch
        continue
    examples = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    lines = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples, out=lines.append)
    said[name] = "".join(lines)
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory, demo):
    """Return what went wrong in the doctest of each name, all run where `make demo` was, far from any network."""
    environment = {**hub_environment(NOWHERE, tmp_path_factory.mktemp("doctests")), "MAX_WORKERS": "1"}
    return json.loads(output_of(PROGRAM, environment, cwd=demo.parent).splitlines()[-1])


@pytest.mark.parametrize("name", NAMES)
def test_the_doctest_of_a_public_name_passes(name, said):
    if name in NEED_TORCH or "torch" in getattr(fornet_hf, name).__doc__.partition(">>>")[2]:
        pytest.importorskip("torch")
    assert said[name] == ""


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_a_doctest(name):
    if name in NEED_TORCH:
        pytest.importorskip("torch")
    assert ">>> import fornet_hf" in getattr(fornet_hf, name).__doc__
