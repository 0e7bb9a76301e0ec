"""Bit-identical rendering of presets to audio."""
