# What is run: models, and systems of them (flowsynth.systems), told from their names and from the models' sources.
from flowsynth.systems import is_control, last_step, model_of

SYSTEMS = BUDGET.get("models", config["models"])  # models, and systems of them
MODELS = list(dict.fromkeys(map(model_of, SYSTEMS)))
# systems that draw several answers from a model
STEPS = {system: last_step(system) for system in SYSTEMS if not is_control(system)}
DRAWING = [system for system, step in STEPS.items() if step and step.how == "best"]

# models without training, by their source: to import them takes seconds
SOURCES = {file.stem: file.read_text() for file in (PACKAGE / "models").glob("*.py")}
CONTROLS = "|".join(name for name, text in SOURCES.items() if "Control):" in text)
ANY_MODEL = "|".join(name for name in SOURCES if name != "__init__")


def has_latent(model):
    """Whether a model has a latent to explore, told from what its file imports."""
    return str(PACKAGE / "latent.py") in code(f"models/{model}")
