"""Networks and normalising flows that models are built from."""
