# The pipeline, in order. What to run is in config.yaml; how a site runs it is in a profile.
from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/slurm.smk"
include: "workflow/rules/presets.smk"
include: "workflow/rules/render.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/infer.smk"
include: "workflow/rules/resynthesise.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/parameter_choice.smk"


rule all:
    default_target: True
    input:
        expand(
            "results/{budget}/{dataset}/{product}",
            budget=config["budget"],
            dataset=config["budgets"][config["budget"]]["datasets"],
            product=[
                "tables/scores.csv",
                "tables/scores.md",
                "tables/scores.tex",
                "tables/anova.csv",
                "tables/comparisons.csv",
                "tables/cost.csv",
                "tables/leaks.csv",
                "tables/paper.csv",
                "tables/paper.md",
                "tables/semantics.csv",
                "figures/scores.pdf",
                "figures/scores.png",
            ],
        ),
        # with one data set there is nothing to put side by side
        expand(
            "results/{budget}/tables/complexity.{format}",
            budget=config["budget"],
            format=["csv", "md", "tex"],
        )
        if len(config["budgets"][config["budget"]]["datasets"]) > 1
        else [],


onsuccess:
    report_incomplete(failed=False)


onerror:
    report_incomplete(failed=True)
