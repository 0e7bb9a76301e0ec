"""Synthesizers as data: their parameter tables."""
