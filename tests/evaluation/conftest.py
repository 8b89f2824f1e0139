"""torchvision for classifiers, also where it does not fit the machine's torch.

Tests that need torch begin with `pytest.importorskip("torch")`; the others run without it.
"""

from importlib.util import find_spec

from tests.torchvision_shim import import_torchvision

if find_spec("torch") and find_spec("torchvision"):
    import_torchvision()
