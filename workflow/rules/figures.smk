rule figure_scores:
    input:
        code=code("figures"),
        style=str(PACKAGE / "figures.mplstyle"),
        scores="results/{budget}/{dataset}/scores.csv",
    output:
        "results/{budget}/{dataset}/figures/scores.{format}",
    log:
        "results/{budget}/{dataset}/logs/figures/scores.{format}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/figures/scores.{format}.tsv"
    wildcard_constraints:
        format="pdf|png",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        models=config["models"],
    script:
        "../scripts/figure_scores.py"
