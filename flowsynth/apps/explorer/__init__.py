"""The latent space of a model as a page in the browser."""
