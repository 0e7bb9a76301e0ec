"""From predictions to numbers: scores, summaries and statistical tests."""
