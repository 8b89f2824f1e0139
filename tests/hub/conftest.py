"""The fixtures of the local Hub."""

from tests.local_hub.fixtures import hub, hub_home

__all__ = ["hub", "hub_home"]
