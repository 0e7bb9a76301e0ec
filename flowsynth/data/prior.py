"""Presets of a synthesizer that nobody has made presets for: drawn as its table says.

Each parameter is at its default in most presets, or is drawn evenly from a range that is narrower than all it can have: so
that what is drawn is mostly audible and at the pitch played, and parameters are as seldom in use as people use them.
"""

import numpy as np
import pandas as pd

from flowsynth.synths.spec import Synth


def draw(synth: Synth, count: int, seed: int) -> pd.DataFrame:
    """Draw presets.

    Args:
        synth: The synthesizer.
        count: How many.
        seed: Of the draw.

    Returns:
        A row a preset, a column a parameter, in [0, 1]; stepped parameters on their steps.
    """
    rng = np.random.default_rng(seed)
    columns = {}
    for parameter in synth.parameters:
        share, low, high = parameter.draw
        # both are always drawn: another share or range of one parameter leaves the others as they are
        moved, values = rng.random(count) < share, rng.random(count)
        first, last = parameter.normalise(low), parameter.normalise(high)
        if parameter.steps:
            top = parameter.steps - 1
            lowest, highest = round(first * top), round(last * top)
            values = (lowest + np.floor(values * (highest - lowest + 1))) / top
        else:
            values = first + values * (last - first)
        columns[parameter.name] = np.where(moved, values, parameter.normalise(parameter.default))
    return pd.DataFrame(columns)
