"""The Slurm cluster as a fixture."""

from collections.abc import Iterator

import pytest
from cluster import Cluster, install
from programs import Unavailable, skip_or_fail


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A running cluster of two nodes; if unavailable, tests are skipped, or fail in CI."""
    try:
        install()
    except Unavailable as reason:
        skip_or_fail(f"no Slurm cluster for tests: {reason}")
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
