"""Data sets: presets, splits, features, and the items that models are trained on."""
