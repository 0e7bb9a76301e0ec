"""A Faust program as an instrument: compiled by DawDreamer and verified against its parameter table.

The program plays one note. In addition to the parameters of the table it has ``freq`` (Hz), ``gain`` (0 to 1) and
``held`` (seconds until the key is released). DawDreamer's voices are not used: they ignore values that are set before
the first rendering.

References:
    Orlarey, Fober and Letz 2009, "Faust: an efficient functional approach to DSP programming".
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from flowsynth.synths.spec import Synth

TOLERANCE = 1e-4  # as a fraction of a parameter's range
NOTE_CONTROLS = ("freq", "gain", "held")


class Faust:
    """A compiled Faust program.

    Args:
        engine: DawDreamer engine.
        synth: Parameter table.

    Raises:
        ValueError: If the program can't be compiled, or its parameters do not match the table.
    """

    def __init__(self, engine: Any, synth: Synth):
        self._engine, self.processor = engine, engine.make_faust_processor(synth.name)
        try:
            self.processor.set_dsp_string(synth.plugin.read_text(encoding="utf-8"))
            self.processor.compile()
        except RuntimeError as error:
            raise ValueError(f"{synth.plugin} can't be compiled: {error}") from error
        controls = {entry["name"].rpartition("/")[2]: entry for entry in self.processor.get_parameters_description()}
        _check(controls, synth)
        self._parameters = [(controls[p.name]["name"], p) for p in synth.parameters]
        self._note_controls = [controls[name]["name"] for name in NOTE_CONTROLS]
        engine.load_graph([(self.processor, [])])

    def set_note(self, pitch: int, velocity: int, seconds: float) -> None:
        """Set the MIDI note, see `flowsynth.rendering.host.Instrument`."""
        values = (440 * 2 ** ((pitch - 69) / 12), velocity / 127, seconds)
        for control, value in zip(self._note_controls, values, strict=True):
            self.processor.set_parameter(control, value)

    def set_parameters(self, values: Float[np.ndarray, " parameters"]) -> None:
        """Set all parameters, in the table's order, in [0, 1]."""
        for (control, parameter), value in zip(self._parameters, values.tolist(), strict=True):
            self.processor.set_parameter(control, parameter.value(value))

    def render(self, seconds: float) -> Float[np.ndarray, "channels samples"]:
        """Render, see `flowsynth.rendering.host.Instrument`."""
        self._engine.render(seconds)
        return self._engine.get_audio()


def _check(controls: dict[str, dict[str, Any]], synth: Synth) -> None:
    expected = {*synth.names, *NOTE_CONTROLS}
    missing, extra = sorted(expected - controls.keys()), sorted(controls.keys() - expected)
    if missing or extra:
        raise ValueError(
            f"{synth.plugin} does not match the table {synth.name}.yaml: parameters missing {missing}, "
            f"not in the table {extra}"
        )
    for parameter in synth.parameters:
        control = controls[parameter.name]
        actual = (control["min"], control["max"], control["value"])
        tolerance = TOLERANCE * (parameter.high - parameter.low)
        if max(map(abs, np.subtract(actual, (parameter.low, parameter.high, parameter.default)))) > tolerance:
            raise ValueError(
                f"{parameter.name}: range and default {actual} in {synth.plugin}, "
                f"{(parameter.low, parameter.high, parameter.default)} in the table"
            )
