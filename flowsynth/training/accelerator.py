"""Device selection."""

import torch


def select_device(accelerator: str) -> torch.device:
    """Select the device to compute on.

    Args:
        accelerator: ``cpu``, ``gpu``, or ``auto`` for a GPU if one is available.

    Raises:
        ValueError: If no GPU is available, or the accelerator is unknown.
    """
    if accelerator not in ("cpu", "gpu", "auto"):
        raise ValueError(f"accelerator {accelerator!r}, expected cpu, gpu or auto")
    gpu = None if accelerator == "cpu" else torch.accelerator.current_accelerator(check_available=True)
    if gpu is None and accelerator == "gpu":
        raise ValueError("accelerator 'gpu', but torch finds no GPU; use auto to fall back to the CPU")
    return gpu or torch.device("cpu")
