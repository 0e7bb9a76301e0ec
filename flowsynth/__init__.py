"""flowsynth: a benchmark of automatic synthesizer programming.

The modules are the stages of the pipeline, in this order: ``presets``, ``render``, ``features``, ``split``, ``train``,
``infer``, ``resynthesise``, ``score``, ``tables``, ``figures``. Nothing here knows the workflow that calls it.
"""

__version__ = "0.1.0"
