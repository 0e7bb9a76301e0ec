"""A process of its own for a plugin: it may crash or hang, also while it loads, or change floating-point rounding."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from flowsynth.core import debian
from flowsynth.synths.spec import Synth

Result = TypeVar("Result")

LOAD_TIMEOUT = 300.0  # seconds; a large plugin on a slow network file system loads within one minute
END_TIMEOUT = 5.0  # seconds after which a process that should end is killed
STOPPED = (signal.SIGKILL, signal.SIGTERM)  # signals by which others end a process: they say nothing of the plugin


class PluginProcess:
    """A Python process that loads a plugin, and a connection to it.

    Args:
        synth: Synthesizer whose plugin is loaded.
        main: Function, by module and name, that the process calls with the file descriptor of its connection.
    """

    def __init__(self, synth: Synth, main: tuple[str, str]):
        self.synth, self._is_loaded = synth, False
        self._connection, other_end = Pipe()
        # -P, and no empty entry in the path: no module of the working directory takes the place of another
        command = [sys.executable, "-P", "-c", f"from {main[0]} import {main[1]}; {main[1]}({other_end.fileno()})"]
        paths = [str(Path(__file__).parents[2]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        with other_end:
            self._process = subprocess.Popen(
                command, env=environment, pass_fds=[other_end.fileno()], stdin=subprocess.DEVNULL
            )

    def __enter__(self) -> "PluginProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the process, at once if it is still loading the plugin."""
        self._connection.close()
        if not self._is_loaded:
            self._process.kill()
        try:
            self._process.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def send(self, message: object) -> None:
        """Send a message.

        Raises:
            RuntimeError: If the process has ended.
        """
        try:
            self._connection.send(message)
        except ConnectionError as error:
            raise self._end_error() from error

    def receive_loaded(self) -> Any:
        """Receive the first message, which the process sends when it has loaded the plugin.

        Raises:
            ValueError: If the plugin takes longer than `LOAD_TIMEOUT`, or crashes.
            RuntimeError: If the process ends for another reason.
            Exception: The message, if it is one.
        """
        if not self._connection.poll(LOAD_TIMEOUT):
            raise ValueError(
                f"{self.synth.plugin} has not loaded within {LOAD_TIMEOUT:g} s: see in another host whether it waits "
                f"for a licence or a display, or {_reinstall(self.synth)}"
            )
        message = self.receive()
        self._is_loaded = True
        return message

    def receive(self) -> Any:
        """Receive a message.

        Raises:
            RuntimeError: If the process has ended.
            Exception: The message, if it is one.
        """
        try:
            message = self._connection.recv()
        except (EOFError, ConnectionError) as error:
            raise self._end_error() from error
        if isinstance(message, Exception):
            self._is_loaded = True  # and the process ends by itself
            raise message
        return message

    def _end_error(self) -> Exception:
        status = self._process.wait()
        if status >= 0:
            return RuntimeError(f"the worker process of {self.synth.name} ended with status {status}")
        number = signal.Signals(-status)
        if self._is_loaded or number in STOPPED:
            return RuntimeError(f"the worker process of {self.synth.name} ended with signal {number.name}")
        return ValueError(
            f"{self.synth.plugin} ended with signal {number.name} while it loaded: {_reinstall(self.synth)}"
        )


def run_in_subprocess(synth: Synth, function: Callable[..., Result], *arguments: Any) -> Result:
    """Call a function that loads a plugin in a new process.

    Args:
        synth: Synthesizer whose plugin the function loads.
        function: Function of an importable module.
        arguments: Its arguments.

    Raises:
        ValueError: If the function takes longer than `LOAD_TIMEOUT`, or the plugin crashes.
        RuntimeError: If the process ends for another reason.
        Exception: Whatever the function raises.
    """
    with PluginProcess(synth, (__name__, "call_once")) as process:
        process.send((function, arguments))
        return process.receive_loaded()


def call_once(descriptor: int) -> None:
    """Run the process of `run_in_subprocess` on the file descriptor of its connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process ends this one
    connection = Connection(descriptor)
    with suppress(EOFError, ConnectionError):  # the parent process may have ended
        function, arguments = connection.recv()
        try:
            message = function(*arguments)
        except Exception as error:
            message = error
        connection.send(message)


def _reinstall(synth: Synth) -> str:
    package = debian.package_of(synth.plugin)
    return f"reinstall it ({f'apt-get install --reinstall {package}' if package else synth.install})"
