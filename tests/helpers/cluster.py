"""A temporary Slurm cluster on this machine: one controller and two nodes with a fake GPU each.

The daemons come from Debian and use their own key, ports and folder. Only `/etc/slurm` is shared, because jobs look for
their cluster there: a machine with an existing Slurm configuration is not touched.
"""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from programs import require, skip_or_fail
from waiting import DEADLINE, children, send_signal, wait_until

ETC = Path("/etc/slurm")
LOCK = Path("/run/lock/slurm-test-cluster")
MARKER = "# temporary test cluster, removed at its end"
NODES = ("n1", "n2")

CONF = Path(__file__).parents[1] / "slurm" / "slurm.conf"


def run(*command: str) -> str:
    """Run a Slurm command and return its output."""
    result = subprocess.run(command, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE)
    assert result.returncode == 0, f"{' '.join(command)}: {result.stdout}{result.stderr}"
    return result.stdout


def require_slurm() -> None:
    """Skip the test, or fail it in CI, if this machine cannot run the cluster."""
    require("slurmctld", "slurmd", "sbatch", "munged")
    conf = ETC / "slurm.conf"
    if conf.exists() and not conf.read_text().startswith(MARKER):
        skip_or_fail(f"this machine has its own Slurm configuration ({conf}), which is not touched")
    if os.geteuid() != 0:
        skip_or_fail("the Slurm daemons need root")


class Cluster:
    """The cluster: start, stop, and simulate faults."""

    def __init__(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.daemons: dict[str, subprocess.Popen] = {}
        self.lock = LOCK.open("w", encoding="utf-8")

    def start(self) -> None:
        """Configure and start all daemons, and wait until both nodes are idle; waits for other clusters to end."""
        wait_until(self.reserve, f"the lock of another cluster is released, {LOCK}")
        self._configure()
        paths = {
            "socket": "munge.socket",
            "key-file": "munge.key",
            "pid-file": "munged.pid",
            "log-file": "munged.log",
            "seed-file": "munged.seed",
        }
        munged = ["munged", "--foreground", "--force", *(f"--{key}={self.base / name}" for key, name in paths.items())]
        self._spawn("munged", *munged)
        self._until((self.base / "munge.socket").exists, "munged")
        self._spawn("slurmctld", "slurmctld", "-D")
        self._until(
            lambda: subprocess.run(["scontrol", "ping"], capture_output=True, timeout=DEADLINE).returncode == 0,
            "slurmctld",
        )
        self.restore()

    def reserve(self) -> bool:
        """Reserve the machine, unless another cluster runs."""
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _until(self, condition: Callable[[], object], daemon: str) -> None:
        """Wait for a condition that a daemon brings about; on failure show the output of the daemon."""
        wait_until(lambda: condition() or self.daemons[daemon].poll() is not None, f"{daemon} responds or ends")
        output = (self.base / f"{daemon}.out").read_text()
        assert self.daemons[daemon].poll() is None, f"{daemon} did not start: {output[-2000:]}"

    def _configure(self) -> None:
        self.base.chmod(0o755)
        (self.base / "state").mkdir()
        key = self.base / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(1 + len(NODES))]
            for bound in sockets:
                bound.bind(("127.0.0.1", 0))
            ports = [bound.getsockname()[1] for bound in sockets]
        host = socket.gethostname().split(".")[0]
        nodes, gpus = [], ["AutoDetect=off"]
        for number, node in enumerate(NODES):
            (self.base / node).mkdir()
            device = self.base / f"gpu{number}"
            # Slurm accepts only devices as GPUs; this one behaves like /dev/null
            os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
            nodes.append(
                f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1 + number]} "
                f"CPUs=4 RealMemory=24000 Gres=gpu:fake:1 Weight={1 + number}"
            )
            gpus.append(f"NodeName={node} Name=gpu Type=fake File={device}")
        ETC.mkdir(exist_ok=True)
        text = CONF.read_text().format(marker=MARKER, host=host, port=ports[0], base=self.base, nodes="\n".join(nodes))
        (ETC / "slurm.conf").write_text(text)
        (ETC / "gres.conf").write_text("\n".join([MARKER, *gpus, ""]))

    def _spawn(self, name: str, program: str, *arguments: str) -> None:
        # Each daemon is the first process of a PID namespace: its children end with it, and it ends with the tests. It
        # has its own session, because the kernel hangs up a session with stopped processes when its shell ends.
        namespace = ["setpriv", "--pdeathsig=KILL", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        with (self.base / f"{name}.out").open("a") as output:
            self.daemons[name] = subprocess.Popen(
                [*namespace, program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def restore(self) -> None:
        """Cancel all jobs, restart killed nodes, and wait until both nodes are idle."""
        run("scancel", "--user=root")
        for node in NODES:
            if node not in self.daemons:
                self._spawn(node, "slurmd", "-D", "-N", node)
        wait_until(lambda: self.node_states() == dict.fromkeys(NODES, "idle"), f"all nodes are idle, see {self.base}")

    @contextlib.contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Suspend a daemon (``slurmctld``, ``n1``, ``n2``) during the block."""
        (daemon,) = children(self.daemons[name].pid)
        send_signal(daemon, signal.SIGSTOP)
        try:
            yield
        finally:
            send_signal(daemon, signal.SIGCONT)

    def kill(self, name: str) -> None:
        """Kill a daemon, even a suspended one; a node dies with its jobs, as in a power failure."""
        daemon = self.daemons.pop(name)
        for process in children(daemon.pid):
            send_signal(process, signal.SIGKILL)
        try:
            daemon.wait(DEADLINE)
        finally:
            daemon.kill()

    def node_states(self) -> dict[str, str]:
        """Return the state of each node, as printed by `sinfo`."""
        return dict(
            line.split()
            for line in run("sinfo", "--noheader", "--Node", "--format=%N %t", "--partition=cpu").splitlines()
        )

    def jobs(self, folder: Path) -> list[dict[str, str]]:
        """Return the records of `scontrol show job` for the jobs of a folder, with their ``rule``."""
        jobs = []
        for line in run("scontrol", "show", "job", "--oneliner").splitlines():
            job = dict(re.findall(r"(\w[\w:/-]*)=(\S*)", line))
            if job.get("WorkDir") == str(folder):
                job["rule"] = re.sub("^rule_", "", job["Comment"]).split("_wildcards_")[0]
                jobs.append(job)
        return jobs

    def completed(self) -> dict[str, dict[str, str]]:
        """Return Slurm's log of finished jobs, by job id."""
        rows = (dict(re.findall(r"(\w+)=(\S*)", line)) for line in (self.base / "jobs.log").read_text().splitlines())
        return {row["JobId"]: row for row in rows}

    def stop(self) -> None:
        """End all jobs and daemons and remove all files; even after errors the next cluster can start."""
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(self.lock.close)
            cleanup.callback(shutil.rmtree, self.base)
            if (self.base / "state").exists():  # otherwise the configuration is not of this cluster
                for name in ("slurm.conf", "gres.conf"):
                    cleanup.callback((ETC / name).unlink, missing_ok=True)
            for name in self.daemons:
                cleanup.callback(self.kill, name)
