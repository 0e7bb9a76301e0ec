"""Controls: reference models without training, the lower and upper bounds of the task."""
