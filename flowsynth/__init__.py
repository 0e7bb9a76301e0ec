"""flowsynth: a reproducible benchmark for automatic synthesizer programming.

The packages are layers, from the lowest: ``core``, ``synths`` and ``metrics``, ``rendering``, ``data``, ``models``,
``training``, ``inference``, ``evaluation``, ``leaderboard`` and ``latent_space``, ``report`` and ``figures``, ``apps``.
A layer imports only from lower ones, and none depends on the workflow.
"""

__version__ = "0.1.0"
