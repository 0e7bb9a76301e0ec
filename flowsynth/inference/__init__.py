"""From sounds to parameters: prediction, and search with rendered candidates."""
