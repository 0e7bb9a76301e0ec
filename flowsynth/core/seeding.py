"""Reproducible randomness: every random number is derived from a hash of its purpose."""

import hashlib
from collections.abc import Iterable


def derive_seed(*key: object) -> int:
    """Derive a 32-bit seed from names and numbers; different keys give independent seeds."""
    return int.from_bytes(hashlib.sha256(":".join(map(str, key)).encode()).digest()[:4], "big")


def uniform_by_id(identities: Iterable[str], *key: object) -> list[float]:
    """Draw a uniform number in [0, 1) for each id, independent of the other ids.

    Args:
        identities: Ids of presets.
        key: Seed, fold and purpose; different keys give independent numbers.
    """
    prefix = ":".join(map(str, key))
    hashes = (hashlib.sha256(f"{prefix}:{i}".encode()).digest() for i in identities)
    return [int.from_bytes(h[:8], "big") / 2**64 for h in hashes]
