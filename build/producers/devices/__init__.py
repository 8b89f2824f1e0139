"""GPUs and CPUs that models run on: placement, batch sizes, weights, memory."""
