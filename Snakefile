# The pipeline, in order. config.yaml says what to run; a profile says how a site runs it.
from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/lines.smk"
include: "workflow/rules/systems.smk"
include: "workflow/rules/incomplete.smk"
include: "workflow/rules/slurm.smk"
include: "workflow/rules/presets.smk"
include: "workflow/rules/render.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/sample.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/infer.smk"
include: "workflow/rules/best.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/outside.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/shown.smk"
include: "workflow/rules/explore.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/scales.smk"
include: "workflow/rules/amount.smk"
include: "workflow/rules/page.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/parameter_choice.smk"


rule all:
    default_target: True
    input:
        expand(
            "results/{budget}/{dataset}/{product}",
            budget=config["budget"],
            dataset=DATASETS,
            product=[
                *multiext("tables/scores", ".csv", ".md", ".tex"),
                *multiext("tables/paper", ".csv", ".md"),
                *multiext("tables/", "anova.csv", "comparisons.csv", "cost.csv"),
                *multiext("tables/", "leaks.csv", "semantics.csv", "symmetry.csv"),
                "page/index.html",
                *(multiext("tables/outside", ".csv", ".md") if OUTSIDE else []),
            ],
        ),
        list(DRAWN.values()),
        # needs several data sets
        multiext(
            f"results/{config['budget']}/tables/complexity", ".csv", ".md", ".tex"
        )
        if len(DATASETS) > 1
        else [],
