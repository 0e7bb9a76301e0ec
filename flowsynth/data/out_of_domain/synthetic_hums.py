"""Synthetic hums: sung glides that imitate vocal sketches of sounds.

A source-filter model: harmonics that fall by 12 dB per octave, as in a relaxed voice, with vibrato and breath noise,
shaped by the formants of a vocal tract that moves from one vowel to another while the pitch glides.

References:
    Peterson, Barney, "Control methods used in a study of the vowels", JASA 24(2), 1952: formants of men.
    Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67(3), 1980: bandwidths, order of magnitude.
"""

import numpy as np
import scipy.signal
from jaxtyping import Float

FORMANTS = {  # Hz
    "i": (270, 2290, 3010),
    "e": (530, 1840, 2480),
    "a": (730, 1090, 2440),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
BANDWIDTHS = (70.0, 90.0, 140.0)  # Hz
LOWEST, HIGHEST = 43.0, 67.0  # pitch range, MIDI notes
SHORTEST, LONGEST = 0.8, 3.5  # s
BREATH = 0.02  # level relative to the harmonics


def hum(seed: int, sample_rate: int) -> Float[np.ndarray, " samples"]:
    """Synthesize a hum, float32, with a peak of 0.5.

    Args:
        seed: Seed of pitches, vowels, duration, vibrato and breath noise.
        sample_rate: Hz.
    """
    rng = np.random.default_rng(seed)
    duration = rng.uniform(SHORTEST, LONGEST)
    first, last = rng.uniform(LOWEST, HIGHEST, size=2)
    vowels = rng.choice(sorted(FORMANTS), size=2, replace=False)
    rate, depth = rng.uniform(4.5, 6.5), rng.uniform(0.1, 0.4)  # vibrato: Hz, semitones
    time = np.arange(round(duration * sample_rate)) / sample_rate
    position = (1 - np.cos(np.pi * time / duration)) / 2  # a smooth curve from 0 to 1
    note = first + (last - first) * position + depth * np.sin(2 * np.pi * rate * time)
    frequency = 440.0 * 2 ** ((note - 69) / 12)
    phase = 2 * np.pi * np.cumsum(frequency) / sample_rate
    formants = [a + (b - a) * position for a, b in zip(*(FORMANTS[vowel] for vowel in vowels), strict=True)]
    sound = np.zeros_like(time)
    for harmonic in range(1, int(sample_rate / 2 / frequency.min()) + 1):
        partial = harmonic * frequency
        audible = partial < 0.45 * sample_rate
        sound += audible * _tract(partial, formants) / harmonic**2 * np.sin(harmonic * phase)
    breath = scipy.signal.lfilter([1.0], [1.0, -0.9], rng.normal(size=len(time)))
    sound += BREATH * sound.std() / breath.std() * breath
    attack, release = 0.08, 0.15  # s
    sound *= np.clip(time / attack, 0, 1) * np.clip((duration - time) / release, 0, 1)
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def _tract(frequency: Float[np.ndarray, " samples"], formants: list[np.ndarray]) -> Float[np.ndarray, " samples"]:
    """Compute the gain of resonances in series, each with unit gain at 0 Hz."""
    gain = np.ones_like(frequency)
    for centre, width in zip(formants, BANDWIDTHS, strict=True):
        gain *= centre**2 / np.hypot(centre**2 - frequency**2, width * frequency)
    return gain
