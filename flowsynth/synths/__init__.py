"""Synthesizers as data: parameter tables."""
