"""Chance that can be repeated: every number drawn comes from a hash of what it is for."""

import hashlib
from collections.abc import Iterable


def derive_seed(*key: object) -> int:
    """Make a seed from names and numbers, so that no two purposes share one."""
    return int.from_bytes(hashlib.sha256(":".join(map(str, key)).encode()).digest()[:4], "big")


def draw(identities: Iterable[str], *key: object) -> list[float]:
    """Give each identity its own number in [0, 1), the same whatever else is in the list.

    Args:
        identities: Of presets.
        key: Seed, fold and purpose; another key gives other, independent numbers.
    """
    prefix = ":".join(map(str, key))
    hashes = (hashlib.sha256(f"{prefix}:{i}".encode()).digest() for i in identities)
    return [int.from_bytes(h[:8], "big") / 2**64 for h in hashes]
