"""Models: one module each, in the folder of their kind. `flowsynth.models.registry` finds them without imports."""
