# Models and systems to run (flowsynth.models.registry).
from flowsynth.models.registry import (
    INITIAL_CANDIDATES,
    controls,
    has_latent,
    human_presets_only,
    is_control,
    last_step,
    model_of,
    models,
    source_file,
    surrogates,
)

SYSTEMS = BUDGET.get("models", config["models"])
MODELS = list(dict.fromkeys(map(model_of, SYSTEMS)))
# systems that sample several predictions from a density; those of a surrogate are results of a search instead
LAST_STEPS = {system: last_step(system) for system in SYSTEMS if not is_control(system)}
DRAWING = [
    system
    for system, step in LAST_STEPS.items()
    if step and step.method == "best" and model_of(system) not in surrogates()
]

CONTROLS = "|".join(sorted(controls() - {"search"}))
ANY_MODEL = f"(?:{'|'.join(models())})(?:_seed[0-9]+)?"
