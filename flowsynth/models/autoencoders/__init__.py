"""Autoencoders: models with a latent space, a decoder to spectrograms, and a map from latents to parameters."""
