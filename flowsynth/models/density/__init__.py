"""Models that estimate the density of the parameters given a spectrogram."""
