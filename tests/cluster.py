"""A Slurm cluster on this machine for as long as a test session lasts: one controller, two nodes, a pretended GPU in each.

The daemons are Debian's own, with a key, ports and a folder of their own. Only `/etc/slurm` is shared with whatever else
is installed, as jobs find their cluster there: a machine that has a Slurm already is left alone.
"""

import contextlib
import fcntl
import os
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import programs
import psutil
from programs import Unavailable

ETC = Path("/etc/slurm")
LOCK = Path("/run/lock/slurm-test-cluster")
OURS = "# of a test cluster, removed at its end"
NODES = ("n1", "n2")
PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")

CONF = Path(__file__).parent / "slurm" / "slurm.conf"


def run(*command: str, timeout: float = 60) -> str:
    """Run a command of Slurm and give what it prints."""
    done = subprocess.run(command, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def wait_for(condition: Callable[[], object], what: str, timeout: float = 240) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout} s in vain: {what}"
        time.sleep(0.1)


def install() -> None:
    """See to it that the packages are there.

    Raises:
        Unavailable: If they are not and can't be installed, or if the machine has a Slurm of its own.
    """
    conf = ETC / "slurm.conf"
    if conf.exists() and not conf.read_text().startswith(OURS):
        raise Unavailable(f"this machine has a Slurm of its own ({conf}), which is left alone")
    if os.geteuid() != 0:
        raise Unavailable("the daemons of a Slurm cluster on one machine need root")
    programs.install(("slurmctld", "slurmd", "sbatch", "munged"), PACKAGES)


class Cluster:
    """The cluster: `start` and `stop` it, and do to it what happens to clusters."""

    def __init__(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.daemons: dict[str, subprocess.Popen] = {}
        self.lock = LOCK.open("w")

    def start(self) -> None:
        """Configure and start all daemons, and wait until both nodes are idle; one cluster at a time has the machine."""
        wait_for(self.reserve, f"another cluster to end, which holds {LOCK}", 600)
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
            lambda: subprocess.run(["scontrol", "ping"], capture_output=True, timeout=60).returncode == 0, "slurmctld"
        )
        self.restore()

    def reserve(self) -> bool:
        """Take the machine, unless another cluster has it."""
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _until(self, condition: Callable[[], object], daemon: str) -> None:
        """Wait for what a daemon brings about; if it does not, show what it has printed."""
        wait_for(lambda: condition() or self.daemons[daemon].poll() is not None, daemon)
        printed = (self.base / f"{daemon}.out").read_text()
        assert self.daemons[daemon].poll() is None, f"{daemon} did not start: {printed[-2000:]}"

    def _configure(self) -> None:
        self.base.chmod(0o755)
        (self.base / "state").mkdir()
        key = self.base / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(1 + len(NODES))]
            for one in sockets:
                one.bind(("127.0.0.1", 0))
            ports = [one.getsockname()[1] for one in sockets]
        host = socket.gethostname().split(".")[0]
        nodes, gpus = [], ["AutoDetect=off"]
        for number, node in enumerate(NODES):
            (self.base / node).mkdir()
            device = self.base / f"gpu{number}"
            # Slurm takes nothing but devices for GPUs; this one is another /dev/null
            os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
            nodes.append(
                f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1 + number]} "
                f"CPUs=4 RealMemory=24000 Gres=gpu:fake:1 Weight={1 + number}"
            )
            gpus.append(f"NodeName={node} Name=gpu Type=fake File={device}")
        ETC.mkdir(exist_ok=True)
        text = CONF.read_text().format(ours=OURS, host=host, port=ports[0], base=self.base, nodes="\n".join(nodes))
        (ETC / "slurm.conf").write_text(text)
        (ETC / "gres.conf").write_text("\n".join([OURS, *gpus, ""]))

    def _spawn(self, name: str, program: str, *arguments: str) -> None:
        # a daemon is the first process of a namespace: what it started ends with it, and it ends with the tests; it has a
        # session of its own, as a stopped process in that of the tests would have the kernel hang them up with their shell
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
        """End all jobs, start what is down, and wait until both nodes are idle."""
        run("scancel", "--user=root")
        for node in NODES:
            if node not in self.daemons:
                self._spawn(node, "slurmd", "-D", "-N", node)
        wait_for(lambda: self.node_states() == dict.fromkeys(NODES, "idle"), f"idle nodes; see {self.base}")

    @contextlib.contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Have a daemon (``slurmctld``, ``n1``, ``n2``) not answer for a while."""
        (daemon,) = psutil.Process(self.daemons[name].pid).children()
        daemon.suspend()
        try:
            yield
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):  # it may have been killed meanwhile
                daemon.resume()

    def kill(self, name: str) -> None:
        """Kill a daemon, be it paused; a node ends with all that runs on it, as in a power cut."""
        daemon = self.daemons.pop(name)
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(daemon.pid).children():
                process.kill()
        try:
            daemon.wait(30)
        finally:
            daemon.kill()

    def node_states(self) -> dict[str, str]:
        """State of each node, as `sinfo` prints it."""
        return dict(
            line.split()
            for line in run("sinfo", "--noheader", "--Node", "--format=%N %t", "--partition=cpu").splitlines()
        )

    def jobs(self, folder: Path) -> list[dict[str, str]]:
        """What Slurm knows of the jobs that were submitted from a folder: `scontrol show job`, and their ``rule``."""
        found = []
        for line in run("scontrol", "show", "job", "--oneliner").splitlines():
            job = dict(re.findall(r"(\w[\w:/-]*)=(\S*)", line))
            if job.get("WorkDir") == str(folder):
                job["rule"] = re.sub("^rule_", "", job["Comment"]).split("_wildcards_")[0]
                found.append(job)
        return found

    def completed(self) -> dict[str, dict[str, str]]:
        """Slurm's log of finished jobs, by job id."""
        rows = (dict(re.findall(r"(\w+)=(\S*)", line)) for line in (self.base / "jobs.log").read_text().splitlines())
        return {row["JobId"]: row for row in rows}

    def stop(self) -> None:
        """End all jobs and daemons and remove every file of the cluster; whatever fails, the next one can start."""
        with contextlib.ExitStack() as last_first:
            last_first.callback(self.lock.close)
            last_first.callback(shutil.rmtree, self.base)
            if (self.base / "state").exists():  # else it is not this cluster that is configured
                for name in ("slurm.conf", "gres.conf"):
                    last_first.callback((ETC / name).unlink, missing_ok=True)
            for name in self.daemons:
                last_first.callback(self.kill, name)
