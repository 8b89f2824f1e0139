"""Copies of tensors to another device, seen without one: the device `meta` takes its place."""

from torch.utils._python_dispatch import TorchDispatchMode


class Copies(TorchDispatchMode):
    """Notes of each copy to another device whether it is asked not to wait for it."""

    def __init__(self):
        super().__init__()
        self.non_blocking = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        named = kwargs or {}
        if "_to_copy" in function.__name__ and named.get("device") is not None:
            self.non_blocking.append(bool(named.get("non_blocking")))
        return function(*args, **named)
