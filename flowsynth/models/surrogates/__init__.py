"""Models of the synthesizer: from parameters to spectrograms."""
