"""Places: names that are none are refused before anything is asked."""

from __future__ import annotations

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.hub.location import Repository, is_name, locate

NO_NAMES = [
    *("-a/b", "a/-b", "a/b-", ".a/b", "a/b.", "x..y/z", "x/y--z", "a/b.git", "a/" + "b" * 97),
    *("ForNet", "a/b/c", "../patches", "my images", "a/b c", "a/", "/b", "a/b\n", "ä/b"),
]


@pytest.mark.parametrize("name", NO_NAMES)
def test_no_repository_has_a_name_against_the_rules(name):
    with pytest.raises(ConfigurationError, match="this cannot be the name of a repository"):
        Repository(name)
    with pytest.raises(ConfigurationError, match="no such folder or repository"):
        locate(name)


@pytest.mark.parametrize("name", ["TNauen/ForNet", "ILSVRC/imagenet-1k", "a/b", "A_1.x/B-2_y", "a/" + "b" * 96])
def test_names_by_the_rules_are_taken(name):
    assert is_name(name)
    assert locate(f"{name}@refs/pr/1") == Repository(name, "refs/pr/1")


@pytest.mark.parametrize("revision", ["../up", "a/../b", "/etc", "a b", "a\nb", "-x", ".x", ""])
def test_no_revision_leads_elsewhere(revision):
    with pytest.raises(ConfigurationError, match="this cannot be a revision of a/b"):
        Repository("a/b", revision)
