"""Results: rows of a table, and the block of a model card."""
