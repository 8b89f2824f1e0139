"""Triton kernels that compose a batch: masks scaled, masks feathered, images painted."""
