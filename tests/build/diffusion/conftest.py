"""The real classes of the models; where torchvision does not fit the machine's torch, its operators are declared."""

from importlib.util import find_spec

from tests.one_thread import one_thread
from tests.torchvision_shim import import_torchvision

__all__ = ["one_thread"]

if find_spec("torch") and find_spec("torchvision"):
    import_torchvision()
else:
    collect_ignore_glob = ["*"]  # the models need both
