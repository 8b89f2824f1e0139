"""The builder of ForNet; see README.md."""
