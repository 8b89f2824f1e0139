"""The published format, exactly as docs/patch_format.md specifies it."""
