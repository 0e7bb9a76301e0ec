"""How a model is trained: batches, steps, the resumable loop, checkpoints."""
