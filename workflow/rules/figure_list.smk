# Figures and pages: their contents, in the order of the page.
FOLD = f"results/{{budget}}/{{dataset}}/{config['split']}/fold0"
EXPLORE = f"{FOLD}/{{model}}/explore"
TABLES = "results/{budget}/{dataset}/tables"
FIGURE_FOLDER = "results/{budget}/{dataset}/figures"
STYLE = str(PACKAGE / "figures/figures.mplstyle")

# By name: title, path without suffix, and input. Optional are the module if its name is another, further params and mem_mb.
FIGURES = {
    "reconstruction": {
        "title": "Reconstruction: target sounds and the prediction of each model",
        "path": f"{FIGURE_FOLDER}/reconstruction",
        "input": {
            "targets": shards("audio"),
            "selection": f"{FOLD}/{RUN.display_model}/selection.csv",
            "predictions": [
                f"{FOLD}/{model}/predictions.h5" for model in RUN.displayed_systems
            ],
            "audio": [f"{FOLD}/{model}/audio.h5" for model in RUN.displayed_systems],
        },
        "params": {"models": RUN.displayed_systems},
        "mem_mb": 4000,
    },
    # the dimension that changes parameters most; any other: figures/flow_reg/macro_controls_z5.pdf
    "macro_controls": {
        "title": "Macro-controls: one latent dimension",
        "path": f"{FIGURE_FOLDER}/{{model}}/macro_controls{{dimension}}",
        "input": {
            "vectors": f"{EXPLORE}/macro_controls.h5",
            "audio": f"{EXPLORE}/audio/macro_controls.h5",
        },
    },
    "neighbourhood": {
        "title": "Neighbourhoods of two sounds",
        "path": f"{FIGURE_FOLDER}/{{model}}/neighbourhood",
        "input": {
            "vectors": f"{EXPLORE}/neighbourhood.h5",
            "audio": f"{EXPLORE}/audio/neighbourhood.h5",
            "space": f"{EXPLORE}/space.h5",
        },
    },
    "interpolation": {
        "title": "Interpolation in the latent space and in the parameter space",
        "path": f"{FIGURE_FOLDER}/{{model}}/interpolation",
        "input": {
            "vectors": f"{EXPLORE}/interpolation.h5",
            "audio": f"{EXPLORE}/audio/interpolation.h5",
        },
    },
    "semantic": {
        "title": "Semantic dimension: dark to bright",
        "path": f"{FIGURE_FOLDER}/semantic",
        "input": {
            "before": f"{FOLD}/{RUN.contrast_model}/explore/space.h5",
            "after": f"{FOLD}/{settings.SEMANTIC_MODEL}/explore/space.h5",
            "vectors": f"{FOLD}/{settings.SEMANTIC_MODEL}/explore/semantic.h5",
            "audio": f"{FOLD}/{settings.SEMANTIC_MODEL}/explore/audio/semantic.h5",
            "features": shards("features"),
            "thresholds": f"{TABLES}/semantics.csv",
        },
        "params": {"models": [RUN.contrast_model, settings.SEMANTIC_MODEL]},
    },
    "smoothness": {
        "title": "Smoothness of latent dimensions and parameters",
        "path": f"{FIGURE_FOLDER}/{{model}}/smoothness",
        "input": {
            "lines": f"{TABLES}/{{model}}/smoothness.csv",
            "summary": f"{TABLES}/{{model}}/smoothness_summary.csv",
        },
    },
    "latent_space": {
        "title": "Latent space, coloured by descriptors",
        "path": f"{FIGURE_FOLDER}/{{model}}/latent_space",
        "input": {"space": f"{EXPLORE}/space.h5", "features": shards("features")},
    },
    "complexity": {
        "title": "Number of parameters",
        "path": "results/{budget}/figures/complexity",
        "input": {"table": "results/{budget}/tables/complexity.csv"},
        "module": "scaling",
        "params": {"models": RUN.systems},
    },
    "calibration": {
        "title": "Calibration of the probabilistic models",
        "path": f"{FIGURE_FOLDER}/calibration",
        "input": {
            "table": f"{TABLES}/calibration.csv",
            "coverage": f"{TABLES}/coverage.csv",
        },
    },
    "scores": {
        "title": "Scores",
        "path": f"{FIGURE_FOLDER}/scores",
        "input": {"scores": "results/{budget}/{dataset}/scores.csv"},
        "params": {"models": RUN.systems},
    },
    "critical_difference": {
        "title": "Critical differences of ranks",
        "path": f"{FIGURE_FOLDER}/critical_difference",
        "input": {"scores": "results/{budget}/{dataset}/scores.csv"},
        "params": {"models": RUN.systems},
    },
    "curves": {
        "title": "Learning curves",
        "path": f"{FIGURE_FOLDER}/curves",
        "input": {
            "histories": lambda wildcards: expand(
                "results/{budget}/{dataset}/{split}/fold{fold}/{model}/history.csv",
                budget=wildcards.budget,
                dataset=wildcards.dataset,
                split=config["split"],
                fold=range(budget(wildcards)["folds"]),
                model=RUN.models,
            )
        },
    },
}


def png(name):
    """PNG file of a figure; one of a single model is that of the displayed model."""
    path = FIGURES[name]["path"].replace("{model}", RUN.display_model)
    return f"{path.replace('{dimension}', '')}.png"


# files of every figure that this configuration can draw, for all data sets
DRAWN = {
    name: expand(
        f"{Path(png(name)).with_suffix('')}.{{format}}",
        budget=config["budget"],
        dataset=RUN.datasets,
        format=["pdf", "png"],
    )
    for name in FIGURES
    if name not in RUN.unavailable_figures
}


def captioned(path):
    """Both formats of a figure; the PNG is part of the report, with its caption in workflow/report."""
    name = Path(path).name.partition("{")[0]
    labels = {key: f"{{{key}}}" for key in ("dataset", "model") if f"{{{key}}}" in path}
    labels["figure"] = name.replace("_", " ")
    caption = f"../report/{name}.rst"
    return [f"{path}.pdf", report(f"{path}.png", caption, "Figures", labels=labels)]


def run_of(budget, dataset):
    """Contents of a page, see flowsynth.report.run_page.Run."""
    texts = Path(workflow.basedir) / "workflow/report"
    return {
        "split": config["split"],
        "folds": config["budgets"][budget]["folds"],
        "models": RUN.systems,
        "displayed_models": RUN.displayed_systems,
        "latent_model": RUN.display_model,
        "has_latent": RUN.display_has_latent,
        "ood_models": (settings.ood_models(config, budget) if RUN.collections else []),
        "collections": RUN.collections,
        "figures": [
            (
                FIGURES[name]["title"],
                " ".join((texts / f"{name}.rst").read_text(encoding="utf-8").split()),
                png(name).format(budget=budget, dataset=dataset),
            )
            for name in DRAWN
        ],
        "sample_rate": config["render"]["sample_rate"],
        "seed": config["seed"],
    }
