"""Latent traversals, their renderings, and the smoothness of the latent space."""
