"""The data that were published with the paper: presets of u-he Diva, and how they were split.

The archive ``diva_raw.zip`` has a file ``raw/<md5>_60_100.npz`` for each of 11,217 presets, rendered with MIDI note 60 at
velocity 100. It holds ``param``, all 281 parameters of the plugin by name, in [0, 1]; ``audio``, 88,320 samples at 22,050 Hz;
and ``chars``, ten rows of [first word, second word, unknown], what designers said of the sound. The first is a pickle, as are
the files that the published split is kept in: they are read as data (`flowsynth.data.diva.safe_pickle`) and never executed.

All presets were put on one base patch before they were published: 64 parameters vary, the others are the same in all files.

References:
    Esling et al. 2019, 2020: data, parameters, words and split. Names of parameters are those of the published code.
"""

from flowsynth.data.diva.corpus import Corpus, read
from flowsynth.data.diva.parameter_sets import PAIRS, SETS
from flowsynth.data.diva.splits import read_split

__all__ = ["PAIRS", "SETS", "Corpus", "read", "read_split"]
