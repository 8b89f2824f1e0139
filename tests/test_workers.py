"""MAX_WORKERS."""

import os

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.workers import max_workers


@pytest.mark.parametrize("value", ["1", "2", "64"])
def test_the_variable_counts(monkeypatch, value):
    monkeypatch.setenv("MAX_WORKERS", value)
    assert max_workers() == int(value)


def test_without_it_all_cpus_of_this_process(monkeypatch):
    monkeypatch.delenv("MAX_WORKERS", raising=False)
    assert max_workers() == (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())


@pytest.mark.parametrize("value", ["", "0", "-1", "abc", "1.5", " 2", "²", "٣", "1e3", "9" * 5000])
def test_anything_else_is_an_error_that_says_what_is_allowed(monkeypatch, value):
    monkeypatch.setenv("MAX_WORKERS", value)
    with pytest.raises(ConfigurationError, match=r"MAX_WORKERS.*allowed: 1, 2, 3.*export"):
        max_workers()
