"""torchvision, which peft imports through transformers, also where it does not fit the machine's torch."""

from importlib.util import find_spec

from tests.torchvision_shim import import_torchvision

if find_spec("torch") and find_spec("torchvision"):
    import_torchvision()
