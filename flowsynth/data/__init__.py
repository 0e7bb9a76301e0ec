"""The data set: presets, partitions, features, and the items that models are trained on."""
