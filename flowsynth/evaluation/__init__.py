"""From predictions to numbers: scores, summaries, tests."""
