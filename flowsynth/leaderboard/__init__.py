"""Frozen baselines, and the comparison of candidates with them."""
