"""Model training: batches, training steps, the resumable loop and checkpoints."""
