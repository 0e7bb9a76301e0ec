"""flowsynth: a reproducible benchmark for automatic synthesizer programming.

`load` reads a trained model from its checkpoint, `datasets.load` a data set from its folder.

The packages are layers, from the lowest: ``core``, ``synths`` and ``metrics``, ``rendering``, ``data``, ``models``,
``training``, ``inference``, ``evaluation``, ``leaderboard`` and ``latent_space``, ``report`` and ``figures``, ``apps``.
A layer imports only from lower ones, and none depends on the workflow.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowsynth.data import datasets as datasets
    from flowsynth.inference.trained_model import load as load

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "load":  # not imported before it is used: torch takes seconds to import
        from flowsynth.inference.trained_model import load

        return load
    if name == "datasets":
        from flowsynth.data import datasets

        return datasets
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
