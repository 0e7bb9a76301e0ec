"""Programs for musicians: match sounds, play a latent space, inspect a plugin."""
