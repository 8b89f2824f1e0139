"""Pools that backgrounds come from."""
