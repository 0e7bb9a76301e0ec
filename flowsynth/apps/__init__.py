"""Applications: match sounds, explore and control a latent space, inspect a plugin, import Diva presets."""
