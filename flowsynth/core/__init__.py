"""What every layer may use: files, provenance, progress, locks, seeds. It knows no term of the field."""
