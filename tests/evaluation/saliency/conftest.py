"""One thread for tiny networks."""

from tests.one_thread import one_thread

__all__ = ["one_thread"]
