"""A user with a machine of their own: processes with a cache and a token, and what they got to see."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.local_hub.client import hub_environment, run_python
from tests.local_hub.state import Hub
from tests.published import FORNET

needs_scripts = pytest.mark.skipif(
    int(importlib.metadata.version("datasets").partition(".")[0]) >= 4, reason="datasets from 4.0 on refuses scripts"
)
SCRIPT = "datasets.load_dataset"  # with trust_remote_code
LIBRARY = "fornet_hf.load_dataset"
WAYS = [pytest.param(SCRIPT, marks=needs_scripts, id="script"), pytest.param(LIBRARY, id="library")]

_PRELUDE = '''
import json, sys, traceback
import datasets, fornet_hf
from tests.builder.rows import described

def attempt(load, **keywords):
    """Print a line of JSON: what the load gave, or the error as Python shows it."""
    if load is datasets.load_dataset:
        keywords["trust_remote_code"] = True
    try:
        result = described(load(**keywords))
    except Exception as error:
        shown = "".join(traceback.format_exception(error)).strip()
        result = {"error": type(error).__name__, "last": shown.splitlines()[-1], "shown": shown}
    print("RESULT", json.dumps(result), flush=True)
'''


@dataclass(frozen=True)
class User:
    """Somebody with a folder for all caches, and perhaps a token."""

    hub: Hub
    home: Path
    token: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Of the user's processes. Two workers, unless a test says otherwise."""
        self.home.mkdir(parents=True, exist_ok=True)
        return {**hub_environment(self.hub.url, self.home, self.token), "MAX_WORKERS": "2", **self.variables}

    def run(
        self, *loads: tuple[str, Mapping[str, Any]], before: str = "", timeout: float = 300
    ) -> list[dict[str, Any]]:
        """What each of these loads gives, in one new process; `before` is code that runs first."""
        calls = [f"attempt({load}, **{ {'path': FORNET, **keywords}!r})" for load, keywords in loads]
        done = run_python("\n".join([before, _PRELUDE, *calls]), self.environment(), cwd=self.home, timeout=timeout)
        lines = [line.removeprefix("RESULT ") for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if len(lines) != len(loads):
            raise AssertionError(f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}")
        for token in self.hub.users:
            assert token not in done.stdout + done.stderr
        return [json.loads(line) for line in lines]

    def load(self, load: str = LIBRARY, before: str = "", **keywords: Any) -> Any:
        """What one load in a new process gives."""
        return self.run((load, keywords), before=before)[0]
