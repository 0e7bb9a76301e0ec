"""The Slurm cluster as a fixture."""

from collections.abc import Iterator

import pytest
from cluster import Cluster, require_slurm


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A running cluster of two nodes; if unavailable, tests are skipped, or fail in CI."""
    require_slurm()
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
