# What is run: models, and systems of them (flowsynth.systems), told from their names and from the models' sources.
from flowsynth.systems import is_control, last_step, model_of, models, source

SYSTEMS = BUDGET.get("models", config["models"])  # models, and systems of them
MODELS = list(dict.fromkeys(map(model_of, SYSTEMS)))
# systems that draw several answers from a model
STEPS = {system: last_step(system) for system in SYSTEMS if not is_control(system)}
DRAWING = [system for system, step in STEPS.items() if step and step.how == "best"]

# models without training, by their source: to import them takes seconds
SOURCES = {model: source(model) for model in models()}
CONTROLS = "|".join(m for m, file in SOURCES.items() if "Control):" in file.read_text())
ANY_MODEL = "|".join(SOURCES)


def code_of(model):
    """Files that a model depends on."""
    file = SOURCES[model]
    own = file.is_relative_to(Path(workflow.basedir))
    return code(f"models/{model}") if own else [str(file), *code("models/__init__")]


def has_latent(model):
    """Whether a model has a latent to explore, told from what its file imports."""
    return str(PACKAGE / "latent.py") in code_of(model)
