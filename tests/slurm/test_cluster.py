"""The test cluster itself: faults do not block a test session."""

import shutil
from pathlib import Path

import pytest
from cluster import Cluster


def test_a_suspended_daemon_can_be_killed(cluster: Cluster):
    with cluster.paused("n2"):
        cluster.kill("n2")
    cluster.restore()


def test_a_failed_shutdown_does_not_block_the_next_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cluster.LOCK", tmp_path / "lock")
    first, second = Cluster(), Cluster()
    assert first.reserve()
    assert not second.reserve()
    shutil.rmtree(first.base)
    with pytest.raises(FileNotFoundError):
        first.stop()
    assert second.reserve()
    second.stop()
