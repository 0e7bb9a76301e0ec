"""flowsynth: a reproducible benchmark for automatic synthesizer programming.

`load` reads a trained model from its checkpoint.

The packages are layers, from the lowest: ``core``, ``synths`` and ``metrics``, ``rendering``, ``data``, ``models``,
``training``, ``inference``, ``evaluation``, ``leaderboard`` and ``latent_space``, ``report`` and ``figures``, ``apps``.
A layer imports only from lower ones, and none depends on the workflow.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowsynth.inference.trained_model import load as load

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "load":  # not imported before it is used: torch takes seconds to import
        from flowsynth.inference.trained_model import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
