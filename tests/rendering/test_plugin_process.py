"""A function that loads a plugin runs in its own process: results, errors and crashes."""

import math
import os
import signal
from collections.abc import Callable

import pytest

from flowsynth.rendering import plugin_process
from flowsynth.rendering.plugin_process import run_in_subprocess
from flowsynth.synths import spec

SYNTH = spec.load("amsynth")


def test_result_and_error_of_the_function_are_passed_on():
    assert run_in_subprocess(SYNTH, math.sqrt, 4) == 2
    with pytest.raises(ZeroDivisionError):
        run_in_subprocess(SYNTH, divmod, 1, 0)


def test_a_crash_names_the_plugin_and_its_package(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plugin_process.debian, "package_of", lambda path: "amsynth")
    message = r"amsynth_vst.so ended with signal SIGABRT while it loaded: .*apt-get install --reinstall amsynth\)"
    with pytest.raises(ValueError, match=message):
        run_in_subprocess(SYNTH, os.abort)


@pytest.mark.parametrize(
    ("function", "argument", "end"), [(os._exit, 3, "status 3"), (signal.raise_signal, 9, "signal SIGKILL")]
)
def test_an_end_that_is_no_crash_is_not_blamed_on_the_plugin(function: Callable[[int], None], argument: int, end: str):
    with pytest.raises(RuntimeError, match=f"worker process of amsynth ended with {end}"):
        run_in_subprocess(SYNTH, function, argument)
