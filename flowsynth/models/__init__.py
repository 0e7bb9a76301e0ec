"""Models: a module each, in the folder of its kind. `flowsynth.models.registry` finds them without importing them."""
