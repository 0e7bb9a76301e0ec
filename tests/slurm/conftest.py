"""The cluster of the tests."""

import os
from collections.abc import Iterator

import pytest
from cluster import Cluster, Unavailable, install


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A running cluster of two nodes; where there can't be one, the tests are skipped, and in CI they fail."""
    try:
        install()
    except Unavailable as reason:
        message = f"no Slurm cluster to test with: {reason}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
