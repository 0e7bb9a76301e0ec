"""Out-of-domain sounds: collections of sounds not rendered by the synthesizer."""
