"""Where to compute."""

import torch


def device_of(accelerator: str) -> torch.device:
    """Choose where to compute, as a training does.

    Args:
        accelerator: ``cpu``, ``gpu``, or ``auto`` for a GPU if there is one.

    Raises:
        ValueError: If there is no GPU, or no such accelerator.
    """
    if accelerator not in ("cpu", "gpu", "auto"):
        raise ValueError(f"accelerator {accelerator!r}, expected cpu, gpu or auto")
    found = None if accelerator == "cpu" else torch.accelerator.current_accelerator(check_available=True)
    if found is None and accelerator == "gpu":
        raise ValueError("accelerator 'gpu', but torch finds none here; auto takes the CPU where there is no GPU")
    return found or torch.device("cpu")
