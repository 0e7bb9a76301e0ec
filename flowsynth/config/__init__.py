"""The configuration: its validation, and the settings of a run that follow from it."""
