# What is run: models, and systems of them (flowsynth.systems), told from their names and from the models' sources.
from flowsynth.systems import (
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

SOURCES = {model: source(model) for model in models()}
CONTROLS = "|".join(sorted(controls() - {"search"}))
ANY_MODEL = f"(?:{'|'.join(SOURCES)})(?:_seed[0-9]+)?"


def code_of(name):
    """Files that a model depends on; of one that a package offers its own file, and what it is built on here."""
    model = model_of(name)
    if (PACKAGE / "models" / f"{model}.py").exists():
        return code(f"models/{model}")
    return with_imported(SOURCES[model], PACKAGE / "models" / "__init__.py")


def has_latent(model):
    """Whether a model has a latent to explore, told from what its file imports."""
    return str(PACKAGE / "latent.py") in code_of(model)
