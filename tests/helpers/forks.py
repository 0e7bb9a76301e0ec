"""Run Python programs in processes forked from a server that has imported their libraries.

The jobs of the tiny benchmark spend most of their time on imports. A forked process has its own arguments, environment,
folder and streams, and imports the modules of the project itself. Libraries are as the server imported them: with one thread.

Usage: ``forks.py serve ADDRESS`` or ``forks.py run ARGUMENTS``, with the address in the environment: the name of
a socket without a file, which a killed process would leave.
"""

import atexit
import contextlib
import gc
import hashlib
import importlib
import json
import os
import runpy
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from functools import cache
from pathlib import Path
from typing import Any

ADDRESS = "FLOWSYNTH_TEST_FORKS"
READS = "FLOWSYNTH_TEST_READS"  # a folder: each script writes the list of the results that it reads there
SNAKEMAKE = "snakemake"  # the first argument that runs Snakemake, whose jobs are forked too
LIBRARIES = (
    *(
        "snakemake.cli",
        "snakemake.script",
        "snakemake.executors.local",
        "snakemake.report",
        "snakemake_executor_plugin_slurm",
        "jsonschema",
    ),
    *("h5py", "pandas", "scipy.signal", "scipy.stats", "scipy.spatial", "scipy.optimize", "sklearn.decomposition"),
    *(
        "sklearn.cluster",
        "statsmodels.api",
        "matplotlib.pyplot",
        "seaborn",
        "PIL.Image",
        "jinja2",
        "tabulate",
        "soundfile",
    ),
    *("soxr", "librosa", "torch", "torch.utils.tensorboard", "zuko", "cma", "jaxtyping", "flask"),
    # imported on use: by optimizers, figures, notebooks and others
    *("torch._dynamo", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf", "nbformat", "scipy.io"),
    "smart_open",
)


class ForkServer:
    """A server of its own for this process; both end together."""

    def __init__(self) -> None:
        self.address = f"flowsynth-test-forks-{os.getpid()}-{secrets.token_hex(4)}"
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        # numpy and torch read it when they are imported; Snakemake sets it for a job of one thread
        environment["OMP_NUM_THREADS"] = "1"
        self.process = subprocess.Popen(
            [sys.executable, __file__, "serve", self.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        with self.process.stdout as output:
            assert output.readline() == b"ready\n"
        atexit.register(self.close)

    def close(self) -> None:
        """End the server and its processes."""
        self.process.stdin.close()
        self.process.wait()

    def run(
        self, arguments: list[str], cwd: Path, environment: dict[str, str], timeout: float
    ) -> subprocess.CompletedProcess:
        """Run a program; ``stdout`` has both streams.

        Args:
            arguments: A script or ``-m MODULE``, and its arguments; or `SNAKEMAKE` and its arguments.
            cwd: Working directory.
            environment: Environment variables.
            timeout: Seconds after which the program is killed.
        """
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output, Path(os.devnull).open(encoding="utf-8") as null:
            files = [null.fileno(), output.fileno(), output.fileno()]
            try:
                code = request(self.address, arguments, cwd, environment | {ADDRESS: self.address}, files, timeout)
            except TimeoutError:
                output.seek(0)
                raise subprocess.TimeoutExpired(arguments, timeout, output.read()) from None
            output.seek(0)
            return subprocess.CompletedProcess(arguments, code, output.read())


@cache
def server() -> ForkServer:
    """Return the server of this process; the first call starts it."""
    return ForkServer()


def request(
    address: str, arguments: list[str], cwd: Path, environment: dict[str, str], files: list[int], timeout: float | None
) -> int:
    """Run a program on a server and return its exit status; it is killed when this process ends or stops waiting."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(f"\0{address}")
        text = json.dumps([[str(argument) for argument in arguments], str(cwd), environment]).encode()
        socket.send_fds(connection, [len(text).to_bytes(4, "big")], files)
        connection.sendall(text)
        reply = connection.recv(4)
        return int.from_bytes(reply, "big", signed=True) if reply else -signal.SIGKILL


def serve(address: str) -> None:
    """Import the libraries, then fork processes on request until standard input is closed."""
    for name in LIBRARIES:
        importlib.import_module(name)
    importlib.import_module("snakemake.cli").get_argument_parser()  # looks for plugins
    assert threading.active_count() == 1
    gc.freeze()
    with selectors.DefaultSelector() as selector, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{address}")
        listener.listen()
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        print("ready", flush=True)
        running: dict[int, tuple[int, socket.socket]] = {}  # processes by their pidfd
        while True:
            for key, _ in selector.select():
                if key.fileobj is sys.stdin:
                    for pid, _ in running.values():
                        os.kill(pid, signal.SIGKILL)
                    return
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    pid = fork(connection, listener)
                    pidfd = os.pidfd_open(pid)
                    running[pidfd] = pid, connection
                    selector.register(pidfd, selectors.EVENT_READ)
                    selector.register(connection, selectors.EVENT_READ, pid)
                elif key.fd in running:
                    pid, connection = running.pop(key.fd)
                    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    with contextlib.suppress(KeyError):
                        selector.unregister(connection)
                    with connection, contextlib.suppress(OSError):
                        connection.sendall(code.to_bytes(4, "big", signed=True))
                else:  # the client has ended
                    selector.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)


def fork(connection: socket.socket, listener: socket.socket) -> int:
    """Fork a process that runs the program of a request."""
    length, files, _, _ = socket.recv_fds(connection, 4, 3)
    text = connection.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
    pid = os.fork()
    if pid:
        for file in files:
            os.close(file)
        return pid
    code = 1
    try:
        listener.close()
        connection.close()
        for stream, file in enumerate(files):
            os.dup2(file, stream)
        os.closerange(3, 4096)
        code = become(*json.loads(text))
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            threading._shutdown()  # waits for threads, as at the end of a program
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def become(arguments: list[str], cwd: str, environment: dict[str, str]) -> int:
    """Run a program in this process and return its exit status."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # the server has looked for it in its own environment
    first = arguments[0]
    if first == "-m":
        arguments, folder = arguments[1:], cwd
    else:
        folder = cwd if first == SNAKEMAKE else str(Path(first).resolve().parent)
    paths = environment.get("PYTHONPATH", "")
    sys.path[:1] = [folder, *filter(None, paths.split(os.pathsep))]
    sys.argv = arguments
    if READS in environment and first.endswith(".py"):
        list_reads(Path(environment[READS]))
    try:
        if first == SNAKEMAKE:
            fork_jobs()
            cache_parsing()
            importlib.import_module("snakemake.cli").main(arguments[1:])
        elif first == "-m":
            runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return int(end.code or 0)
    return 0


def list_reads(folder: Path) -> None:
    """List the files below ``results`` that this process opens for reading, in a file named after the process."""
    paths: set[str] = set()

    def audit(event: str, arguments: tuple) -> None:
        if event == "open" and isinstance(arguments[0], str | os.PathLike):
            path, mode, flags = os.path.relpath(os.fspath(arguments[0])), *arguments[1:]
            reads = mode[0] == "r" and "+" not in mode if mode else not flags & os.O_ACCMODE
            if path.startswith("results/") and reads:
                paths.add(path)

    def write() -> None:
        folder.mkdir(exist_ok=True)
        (folder / f"{os.getpid()}.json").write_text(json.dumps(sorted(paths)))

    sys.addaudithook(audit)
    atexit.register(write)


def cache_parsing() -> None:
    """Make Snakemake keep what it parses, by the content of the file, beside the address of the server."""
    from snakemake import workflow

    parse = workflow.parse

    def parse_cached(path: Any, *arguments: Any, linemap: dict[int, int], rulecount: int = 0) -> tuple[str, int]:
        name = path.get_path_or_uri(secret_free=True)
        content = Path(name).read_bytes()
        key = hashlib.sha256(content + str(rulecount).encode()).hexdigest()
        cached = Path(os.environ[ADDRESS]).parent / f"{key}.json"
        if not cached.exists():
            code, count = parse(path, *arguments, linemap=linemap, rulecount=rulecount)
            temporary = cached.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps([code.replace(name, "SNAKEFILE"), count, list(linemap.items())]))
            temporary.replace(cached)
        code, count, lines = json.loads(cached.read_text())
        linemap.update(map(tuple, lines))
        return code.replace("SNAKEFILE", name), count

    workflow.parse = parse_cached


def fork_jobs() -> None:
    """Make Snakemake run scripts by ``forks.py run``, in processes forked from the server."""
    from snakemake.script import PythonScript

    def execute_script(self: PythonScript, fname: str, edit: bool = False) -> None:
        self._execute_cmd("{python} -IS {forks} run {fname:q}", python=sys.executable, forks=__file__, fname=fname)

    PythonScript.execute_script = execute_script


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", path]:
            serve(path)
        case ["run", *program]:
            sys.exit(request(os.environ[ADDRESS], program, Path.cwd(), dict(os.environ), [0, 1, 2], None))
