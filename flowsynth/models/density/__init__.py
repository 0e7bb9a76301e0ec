"""Models of the density of the parameters given a spectrogram."""
