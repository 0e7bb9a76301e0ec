"""What lies in the latent space of a model: traversals, and the sounds along them."""
