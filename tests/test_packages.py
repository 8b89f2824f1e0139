"""Functions of other packages, and words for packages that are missing."""

from __future__ import annotations

import os.path

import pytest

from fornet_hf.errors import ConfigurationError, MissingDependencyError
from fornet_hf.packages import needing, resolve


def test_a_function_is_found_by_its_name():
    assert resolve("os.path:join", "no function") is os.path.join


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module:load", r"no function; found No module named 'no_such_module'; allowed: any\. .*PYTHONPATH"),
        ("os.path:no_such", r"no function; found AttributeError: .*no_such"),
        ("os.path:sep", r"found os\.path:sep, which is no function"),
    ],
)
def test_a_name_of_no_function_is_refused(target, message):
    with pytest.raises(ConfigurationError, match=message):
        resolve(target, "no function", "any")


def test_a_package_that_the_module_lacks_is_no_wrong_name(tmp_path, monkeypatch):
    (tmp_path / "lacking_one.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    said = r"the model cannot be used \(.*pip install no_such_package"
    with pytest.raises(MissingDependencyError, match=said), needing("the model"):
        resolve("lacking_one:load", "no function")


def test_what_is_explained_already_is_not_explained_again():
    said = pytest.raises(MissingDependencyError, match=r"^the inner cannot be used .*pip install inner$")
    with said, needing("the outer", "outer"), needing("the inner", "inner"):
        raise ImportError("no inner")
