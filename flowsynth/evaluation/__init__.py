"""From predictions to numbers: scores, summaries and statistical tests."""

SCORE_COLUMNS = ("budget", "dataset", "split", "fold", "model", "item", "sample", "metric", "value")
