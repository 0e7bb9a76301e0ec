# The pipeline, in order. config.yaml says what to run; a profile says how a site runs it.
from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/run_log.smk"
include: "workflow/rules/incomplete_runs.smk"
include: "workflow/rules/slurm.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/dataset.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/inference.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/out_of_domain.smk"
include: "workflow/rules/figure_list.smk"
include: "workflow/rules/latent_space.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/studies.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/leaderboard.smk"
include: "workflow/rules/pretrained.smk"


rule all:
    default_target: True
    input:
        expand(
            "results/{budget}/{dataset}/{product}",
            budget=config["budget"],
            dataset=RUN.datasets,
            product=[
                *multiext("tables/scores", ".csv", ".md", ".tex"),
                *multiext("tables/paper", ".csv", ".md"),
                *multiext("tables/", "anova.csv", "comparisons.csv", "cost.csv"),
                *multiext("tables/", "leaks.csv", "semantics.csv", "symmetry.csv"),
                "tables/perception.csv",
                "page/index.html",
                *(
                    multiext("tables/outside", ".csv", ".md")
                    if RUN.collections
                    else []
                ),
            ],
        ),
        list(DRAWN.values()),
        # needs several data sets
        multiext(
            f"results/{config['budget']}/tables/complexity", ".csv", ".md", ".tex"
        )
        if len(RUN.datasets) > 1
        else [],


# with --sdm conda, the jobs of all rules run in one environment
for each in workflow.rules:
    if each.script:
        each.conda_env = f"{workflow.basedir}/envs/environment.yaml"
