"""A Faust program as an instrument: compiled by DawDreamer, and held to its parameter table as a plugin is.

It plays one note. Beside the table's parameters it has ``freq`` (Hz), ``gain`` (0 to 1) and ``held`` (seconds until the key
is released). DawDreamer's voices are not used: what is set before the first rendering does not reach them.

References:
    Orlarey, Fober and Letz 2009, "Faust: an efficient functional approach to DSP programming".
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from flowsynth.synths.spec import Synth

NEAR = 1e-4  # of a parameter's range
PLAYED = ("freq", "gain", "held")


class Faust:
    """A compiled program.

    Args:
        engine: DawDreamer's engine.
        synth: The parameter table.

    Raises:
        ValueError: If the program can't be compiled, or its parameters are not those of the table.
    """

    def __init__(self, engine: Any, synth: Synth):
        self.processor = engine.make_faust_processor(synth.name)
        try:
            self.processor.set_dsp_string(synth.plugin.read_text())
            self.processor.compile()
        except RuntimeError as error:
            raise ValueError(f"{synth.plugin} can't be compiled: {error}") from error
        described = {entry["name"].rpartition("/")[2]: entry for entry in self.processor.get_parameters_description()}
        _check(described, synth)
        self._controls = [(described[p.name]["name"], p) for p in synth.parameters]
        self._played = [described[name]["name"] for name in PLAYED]

    def hold(self, pitch: int, velocity: int, seconds: float) -> None:
        """Play a MIDI note from the beginning, as `flowsynth.rendering.host.Instrument` says."""
        for control, value in zip(self._played, (440 * 2 ** ((pitch - 69) / 12), velocity / 127, seconds), strict=True):
            self.processor.set_parameter(control, value)

    def set(self, values: Float[np.ndarray, " parameters"]) -> None:
        """Set all parameters, in the table's order, in [0, 1]."""
        for (control, parameter), value in zip(self._controls, values.tolist(), strict=True):
            self.processor.set_parameter(control, parameter.value(value))


def _check(described: dict[str, dict[str, Any]], synth: Synth) -> None:
    expected = {*synth.names, *PLAYED}
    missing, extra = sorted(expected - described.keys()), sorted(described.keys() - expected)
    if missing or extra:
        raise ValueError(
            f"{synth.plugin} is not the program of the table {synth.name}.yaml: parameters missing {missing}, not in the "
            f"table {extra}"
        )
    for parameter in synth.parameters:
        told = described[parameter.name]
        found = (told["min"], told["max"], told["value"])
        near = NEAR * (parameter.high - parameter.low)
        if max(map(abs, np.subtract(found, (parameter.low, parameter.high, parameter.default)))) > near:
            raise ValueError(
                f"{parameter.name}: range and default {found} in {synth.plugin}, "
                f"{(parameter.low, parameter.high, parameter.default)} in the table"
            )
