"""Pools that backgrounds come from: random access, Arrow and streams; `layout/` adds files."""
