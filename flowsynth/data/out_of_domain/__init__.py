"""Collections of sounds that the synthesizer did not make."""
