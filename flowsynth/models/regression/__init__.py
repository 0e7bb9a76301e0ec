"""Models that predict one preset from a spectrogram."""
