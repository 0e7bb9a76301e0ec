"""Reader of the data published with the paper: presets of u-he Diva and their split.

The archive ``diva_raw.zip`` has a file ``raw/<md5>_60_100.npz`` for each of 11,217 presets, rendered with MIDI note 60
at velocity 100. It holds ``param``, all 281 parameters of the plugin by name, in [0, 1]; ``audio``, 88,320 samples at
22,050 Hz; and ``chars``, ten rows of [first word, second word, unknown], the designers' tags. ``param`` and the split
files are pickles; they are parsed as data (`flowsynth.data.diva.safe_pickle`) and never executed.

All published presets share one base patch: 64 parameters vary, the others are equal in all files.

References:
    Esling et al. 2019, 2020: data, parameters, tags and split. Parameter names are those of the published code.
"""

from flowsynth.data.diva.corpus import Corpus, read
from flowsynth.data.diva.parameter_sets import SETS, TAG_PAIRS
from flowsynth.data.diva.splits import read_split

__all__ = ["SETS", "TAG_PAIRS", "Corpus", "read", "read_split"]
