"""The cluster of the tests itself: nothing that happens to it keeps a test session waiting."""

import shutil
from pathlib import Path

import pytest
from cluster import Cluster


def test_a_daemon_that_is_paused_can_be_killed(cluster: Cluster):
    with cluster.paused("n2"):
        cluster.kill("n2")
    cluster.restore()


def test_a_cluster_whose_end_fails_lets_the_next_one_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cluster.LOCK", tmp_path / "lock")
    first, second = Cluster(), Cluster()
    assert first.reserve()
    assert not second.reserve()
    shutil.rmtree(first.base)
    with pytest.raises(FileNotFoundError):
        first.stop()
    assert second.reserve()
    second.stop()
