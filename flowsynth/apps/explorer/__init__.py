"""Explorer of a latent space in the browser."""
