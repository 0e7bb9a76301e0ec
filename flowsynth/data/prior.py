"""Synthetic presets for a synthesizer without human-designed ones, drawn from the prior in its parameter table.

Each parameter keeps its default in most presets; otherwise it is drawn uniformly from a part of its range. Presets are
thus mostly audible and at the pitch of the note, and use parameters about as rarely as human-designed presets do.
"""

import numpy as np
import pandas as pd

from flowsynth.synths.spec import Synth


def draw_presets(synth: Synth, count: int, seed: int) -> pd.DataFrame:
    """Draw presets from the prior.

    Args:
        synth: The synthesizer.
        count: Number of presets.
        seed: Seed of the random generator.

    Returns:
        One row per preset, one column per parameter, in [0, 1]; stepped parameters lie on their steps.
    """
    rng = np.random.default_rng(seed)
    columns = {}
    for parameter in synth.parameters:
        share, low, high = parameter.draw
        # draw both in any case, so that the share and range of one parameter do not affect the others
        changed, values = rng.random(count) < share, rng.random(count)
        first, last = parameter.normalise(low), parameter.normalise(high)
        if parameter.steps:
            top = parameter.steps - 1
            lowest, highest = round(first * top), round(last * top)
            values = (lowest + np.floor(values * (highest - lowest + 1))) / top
        else:
            values = first + values * (last - first)
        columns[parameter.name] = np.where(changed, values, parameter.normalise(parameter.default))
    return pd.DataFrame(columns)
