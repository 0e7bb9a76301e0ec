"""Pages of a run, with its figures, tables and sounds."""
