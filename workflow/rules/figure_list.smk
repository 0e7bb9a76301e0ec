# Contents of figures and pages: the model shown, the figures by name, their titles.
# The model shown in figures: the configured one if it is run, else the last one with a latent space, else the last one.
SHOWN = next(
    (
        model
        for model in [config["shown"], *reversed(MODELS)]
        if model in MODELS and has_latent(model)
    ),
    MODELS[-1],
)
FOLD = f"results/{{budget}}/{{dataset}}/{config['split']}/fold0"
SEMANTIC = "flow_dis"  # the model whose latent has a semantic dimension
NO_LATENT = (
    "" if has_latent(SHOWN) else "a model with a latent, such as flow_reg or vae"
)
PLAIN = next(
    (model for model in [SHOWN, *MODELS] if has_latent(model) and model != SEMANTIC),
    None,
)
NO_PAIR = (
    ""
    if PLAIN and SEMANTIC in MODELS
    else f"the model {SEMANTIC} and another one with a latent"
)
# no sounds of predictions by truth or by chance
DISPLAYED_MODELS = [model for model in SYSTEMS if model not in ("oracle", "random")]

# by name: path, and what this configuration lacks for it
FIGURES = {
    "scores": ("{dataset}/figures/scores", ""),
    "critical_difference": (
        "{dataset}/figures/critical_difference",
        (
            ""
            if len(set(SYSTEMS) - {"oracle"}) > 1
            else "two models or more beside the oracle"
        ),
    ),
    "curves": (
        "{dataset}/figures/curves",
        "" if not all(map(is_control, MODELS)) else "a model that is trained",
    ),
    "reconstruction": ("{dataset}/figures/reconstruction", ""),
    "macro_controls": (f"{{dataset}}/figures/{SHOWN}/macro_controls", NO_LATENT),
    "neighbourhood": (f"{{dataset}}/figures/{SHOWN}/neighbourhood", NO_LATENT),
    "interpolation": (f"{{dataset}}/figures/{SHOWN}/interpolation", NO_LATENT),
    "latent_space": (f"{{dataset}}/figures/{SHOWN}/latent_space", NO_LATENT),
    "smoothness": (f"{{dataset}}/figures/{SHOWN}/smoothness", NO_LATENT),
    "semantic": ("{dataset}/figures/semantic", NO_PAIR),
    "calibration": (
        "{dataset}/figures/calibration",
        "" if DRAWING else "a system that draws answers, such as npe_nsf_best16",
    ),
    "complexity": (
        "figures/complexity",
        "" if len(DATASETS) > 1 else "a budget with several data sets",
    ),
}


# files of every figure that this configuration can draw, for all data sets
DRAWN = {
    name: expand(
        f"results/{config['budget']}/{path}.{{format}}",
        dataset=DATASETS,
        format=["pdf", "png"],
    )
    for name, (path, lacks) in FIGURES.items()
    if not lacks
}


def captioned(path):
    """Both formats of a figure; the PNG is part of the report, with its caption in workflow/report."""
    name = Path(path).name.partition("{")[0]
    labels = {key: f"{{{key}}}" for key in ("dataset", "model") if f"{{{key}}}" in path}
    labels["figure"] = name.replace("_", " ")
    caption = f"../report/{name}.rst"
    return [f"{path}.pdf", report(f"{path}.png", caption, "Figures", labels=labels)]


# titles by name, in the order of the page; captions are in workflow/report
TITLES = {
    "reconstruction": "Reconstruction: target sounds and the prediction of each model",
    "macro_controls": "Macro-controls: one latent dimension",
    "neighbourhood": "Neighbourhoods of two sounds",
    "interpolation": "Interpolation in the latent space and in the parameter space",
    "semantic": "Semantic dimension: dark to bright",
    "smoothness": "Smoothness of latent dimensions and parameters",
    "latent_space": "Latent space, coloured by descriptors",
    "complexity": "Number of parameters",
    "calibration": "Calibration of the probabilistic models",
    "scores": "Scores",
    "critical_difference": "Critical differences of ranks",
    "curves": "Learning curves",
}


def png(name):
    """PNG file of a figure."""
    return f"results/{{budget}}/{FIGURES[name][0]}.png"


def run_of(budget, dataset):
    """Contents of a page, see flowsynth.report.run_page.Run."""
    texts = Path(workflow.basedir) / "workflow/report"
    return {
        "split": config["split"],
        "folds": config["budgets"][budget]["folds"],
        "models": SYSTEMS,
        "displayed_models": DISPLAYED_MODELS,
        "latent_model": SHOWN,
        "has_latent": has_latent(SHOWN),
        "ood_models": ood_models(config, budget) if OUTSIDE else [],
        "collections": OUTSIDE,
        "figures": [
            (
                title,
                " ".join((texts / f"{name}.rst").read_text().split()),
                png(name).format(budget=budget, dataset=dataset),
            )
            for name, title in TITLES.items()
            if name in DRAWN
        ],
        "sample_rate": config["render"]["sample_rate"],
        "seed": config["seed"],
    }
