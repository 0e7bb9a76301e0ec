# The page of a run: snakemake -c2 page; of a failed or unfinished run: snakemake -c1 page_so_far
EXPLORED = (
    ["macro_controls", "interpolation", "neighbourhood"] if has_latent(SHOWN) else []
)


rule page:
    input:
        expand(
            "results/{budget}/{dataset}/page/index.html",
            budget=config["budget"],
            dataset=DATASETS,
        ),


rule run_report:
    input:
        templates=[
            str(PACKAGE / "report/assets" / name)
            for name in ("index.html.j2", "page.css", "player.js")
        ],
        presets="results/{budget}/{dataset}/presets.csv",
        targets=shards("audio"),
        table="results/{budget}/{dataset}/tables/scores.csv",
        answers=[
            f"{FOLD}/{model}/{file}"
            for model in DISPLAYED_MODELS
            for file in ("predictions.h5", "audio.h5", "scores.csv")
        ],
        explored=[
            f"{FOLD}/{SHOWN}/explore/{kind}.h5"
            for kind in [*EXPLORED, *(f"audio/{kind}" for kind in EXPLORED)]
        ],
        # the table of these needs all sounds and all scores
        outside="results/{budget}/{dataset}/tables/outside.csv" if OUTSIDE else [],
        figures=[png(name) for name in TITLES if name in DRAWN],
        # whatever exists
        baselines=lambda wildcards: [
            str(path)
            for path in Path("results/baselines").glob(f"{wildcards.dataset}/*")
        ],
    output:
        index="results/{budget}/{dataset}/page/index.html",
    log:
        "results/{budget}/{dataset}/logs/page.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/page.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(20),
    params:
        code=code("run_report"),
        run=lambda wildcards: run_of(wildcards.budget, wildcards.dataset),
    script:
        "../scripts/run_report.py"


# Has no input and marks what is missing. Without an output, it runs whenever it is requested.
rule page_so_far:
    log:
        "results/logs/page_so_far.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(20),
    params:
        runs={
            f"results/{config['budget']}/{dataset}": run_of(config["budget"], dataset)
            for dataset in DATASETS
        },
    script:
        "../scripts/partial_report.py"
