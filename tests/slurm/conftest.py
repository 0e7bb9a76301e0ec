"""The cluster of the tests."""

from collections.abc import Iterator

import pytest
from cluster import Cluster, install
from programs import Unavailable, skip_or_fail


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A running cluster of two nodes; where there can't be one, the tests are skipped, and in CI they fail."""
    try:
        install()
    except Unavailable as reason:
        skip_or_fail(f"no Slurm cluster to test with: {reason}")
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
