"""Surrogates of the synthesizer: models from parameters to spectrograms."""
