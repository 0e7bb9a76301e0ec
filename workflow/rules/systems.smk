# What is run: models, and systems of them (flowsynth.models.registry), told from their names and from the models' sources.
from flowsynth.core.code_digest import closure
from flowsynth.models.registry import (
    UNCORRECTED,
    controls,
    is_control,
    last_step,
    model_of,
    models,
    people_only,
    source,
    surrogates,
)

SYSTEMS = BUDGET.get("models", config["models"])  # models, and systems of them
MODELS = list(dict.fromkeys(map(model_of, SYSTEMS)))
# systems that draw several answers from a density; those of a surrogate are what a search ends in, and no draws
STEPS = {system: last_step(system) for system in SYSTEMS if not is_control(system)}
DRAWING = [
    system
    for system, step in STEPS.items()
    if step and step.how == "best" and model_of(system) not in surrogates()
]

CONTROLS = "|".join(sorted(controls() - {"search"}))
ANY_MODEL = f"(?:{'|'.join(models())})(?:_seed[0-9]+)?"


def has_latent(model):
    """Whether a model has a latent to explore, told from what its file imports."""
    latent = Path(workflow.basedir) / "flowsynth/models/autoencoders/base.py"
    return latent in closure(source(model_of(model)))
