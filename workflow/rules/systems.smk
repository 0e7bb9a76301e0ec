# Models and systems to run (flowsynth.models.registry, flowsynth.models.systems).
from flowsynth.models.registry import (
    controls,
    human_presets_only,
    kind,
    models,
    source_file,
    surrogates,
)
from flowsynth.models.systems import INITIAL_CANDIDATES, System

SYSTEMS = BUDGET.get("models", config["models"])
PARSED = [System.parse(name) for name in SYSTEMS]
MODELS = list(dict.fromkeys(system.model for system in PARSED))
LATENT = [model for model in MODELS if kind(model) == "autoencoders"]
# systems that sample several predictions from a density; those of a surrogate are results of a search instead
DRAWING = [
    system.name
    for system in PARSED
    if [step.method for step in system.steps[-1:]] == ["best"]
    and not system.is_control
    and system.model not in surrogates()
]

CONTROLS = "|".join(sorted(controls() - {"search"}))
ANY_MODEL = f"(?:{'|'.join(models())})(?:_seed[0-9]+)?"
