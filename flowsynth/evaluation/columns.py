"""Columns of a table of scores: one row an item, sample and metric."""

COLUMNS = ("budget", "dataset", "split", "fold", "model", "item", "sample", "metric", "value")
