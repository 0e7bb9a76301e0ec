"""Models with a latent space, a decoder to spectrograms and a map to parameters."""
