"""Statistics: values, their errors and intervals."""
