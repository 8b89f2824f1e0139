"""Golden patches: made once, never changed, and applied by every later version."""
