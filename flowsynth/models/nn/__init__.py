"""Networks and normalising flows, the building blocks of models."""
