"""Releases of patches: open one, check a shard against its entry, apply its patches to originals."""
