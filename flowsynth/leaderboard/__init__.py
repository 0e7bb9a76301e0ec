"""Frozen baselines, and candidates that are compared with them."""
