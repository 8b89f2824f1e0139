"""Whether a GPU ran out of memory by itself, or because others use it too."""

from __future__ import annotations

# What other processes may hold without counting: a screen, and this process's own context, which torch cannot tell.
_SMALL = 2 * 2**30


def is_out_of_memory(error: Exception) -> bool:
    """Whether a device's memory ran out; by the name of torch's error, which methods without torch do not import."""
    return type(error).__name__ == "OutOfMemoryError"


def is_shared(device: str) -> bool:
    """Whether more of a GPU's memory than 2 GiB is taken, and not by this process; of the CPU, never."""
    if not device.startswith("cuda"):
        return False
    import torch

    torch.cuda.empty_cache()  # what this process holds for later must not look like another's
    free, total = torch.cuda.mem_get_info(device)
    return total - free - torch.cuda.memory_reserved(device) > _SMALL
