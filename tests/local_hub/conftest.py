"""The fixtures of the test Hub."""

from tests.local_hub.fixtures import hub, hub_home

__all__ = ["hub", "hub_home"]
