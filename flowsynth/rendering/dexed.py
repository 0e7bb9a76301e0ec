"""Dexed as an instrument: the package dexed-py, verified against its parameter table.

A rendering does not depend on what the instance has rendered before, so one instance renders all presets; the rule
``verify`` and the tests hold it to that.

References:
    Gauthier, "Dexed", and Levien, "msfa" (music synthesizer for Android): the engine.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from flowsynth.synths.spec import Synth

GAIN = 1 / 12  # six carriers at full level and velocity stay below 1
VOICE_BYTES, NAME_BYTES = 145, 10


class Dexed:
    """An instance of Dexed.

    Args:
        synth: Parameter table.
        sample_rate: Hz.

    Raises:
        ValueError: If the package has other parameters than the table.
    """

    def __init__(self, synth: Synth, sample_rate: int):
        import dexed

        self._patch, self._synth = dexed.Patch, dexed.DexedSynth(sample_rate)
        self._maximum = np.array([p.high - p.low for p in synth.parameters])
        _check(dexed.Patch, self._maximum, synth)

    def set_note(self, pitch: int, velocity: int, seconds: float) -> None:
        """Set the MIDI note, see `flowsynth.rendering.host.Instrument`."""
        self._note = pitch, velocity, seconds

    def set_parameters(self, values: Float[np.ndarray, " parameters"]) -> None:
        """Set all parameters, in the table's order, in [0, 1]; each is rounded to a whole number as in a voice.

        Raises:
            ValueError: If a value is no number.
        """
        if not np.isfinite(values).all():
            raise ValueError("a parameter is not a finite number")
        voice = np.rint(np.clip(values, 0, 1).astype(np.float64) * self._maximum).astype(np.uint8).tobytes()
        self._synth.load_patch(self._patch.from_sysex(voice.ljust(VOICE_BYTES + NAME_BYTES)))

    def render(self, seconds: float) -> Float[np.ndarray, "channels samples"]:
        """Render, see `flowsynth.rendering.host.Instrument`."""
        return (self._synth.render(*self._note, seconds) * np.float32(GAIN))[None]


def _check(patch: Any, maximum: np.ndarray, synth: Synth) -> None:
    # the package limits each byte of a voice to its maximum
    largest = patch.from_sysex(bytes([127] * (VOICE_BYTES + NAME_BYTES))).to_sysex()[:VOICE_BYTES]
    if len(maximum) != VOICE_BYTES or (maximum != np.frombuffer(largest, np.uint8)).any():
        differing = [
            f"{p.name} ({p.high - p.low:g}, {most} in the package)"
            for p, most in zip(synth.parameters, largest, strict=False)
            if p.high - p.low != most
        ]
        raise ValueError(
            f"the package {synth.package} does not match the table {synth.name}.yaml: {len(maximum)} parameters, "
            f"expected {VOICE_BYTES}; other ranges: {differing}. {synth.install}"
        )
