"""Models that predict a point from a spectrogram."""
