"""Infrastructure shared by all layers: files, provenance, progress, locks and seeds; independent of the domain."""
