"""The page of sounds: static files that open from disk, need no network, and show what a run made."""
