"""Cases of `bad_inputs.bad_input`, one module per subject."""
