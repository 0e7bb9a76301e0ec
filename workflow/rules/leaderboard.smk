# Compare a candidate with the frozen baselines: snakemake -c2 compare --config candidate=NAME
# NAME is a model or system, or the path of a file of predictions.
from flowsynth.leaderboard.manifest import frozen_folds, why_incomparable

CANDIDATE_SOURCE = str(config.get("candidate", ""))
PREDICTION_FILE = CANDIDATE_SOURCE if is_prediction_file(CANDIDATE_SOURCE) else ""
CANDIDATE = prediction_name(CANDIDATE_SOURCE) if PREDICTION_FILE else CANDIDATE_SOURCE
FROZEN = config["baselines"]  # the budget and data sets that baselines were made with
COMPARED_DATASET = config.get("compared_on", FROZEN["datasets"][0])
COMPARISONS = f"results/{FROZEN['budget']}/{{dataset}}/compare"
PROBLEM = (
    why_incomparable(
        Path(f"results/baselines/{COMPARED_DATASET}"),
        config,
        trained=not PREDICTION_FILE,
    )
    if CANDIDATE
    else "compare needs a candidate: --config candidate=NAME, of a model, or of a file of predictions"
)


rule compare:
    input:
        lambda wildcards: required(
            f"{COMPARISONS}/{CANDIDATE}/index.html".format(dataset=COMPARED_DATASET),
            PROBLEM,
        ),


# The campaign that the baselines come from: snakemake -c2 campaign --config budget=cpu
rule campaign:
    input:
        expand(
            "results/{budget}/{dataset}/{product}",
            budget=config["budget"],
            dataset=RUN.datasets,
            product=[
                "scores.csv",
                "tables/scores.md",
                "tables/comparisons.csv",
                "tables/cost.csv",
                "tables/symmetry.csv",
                "tables/perception.csv",
                *(["tables/calibration.csv"] if RUN.density_systems else []),
            ],
        ),


# A single fold of it: snakemake -c2 --config budget=cpu -- results/cpu/amsynth16/grouped/fold0/scores.csv
rule collect_fold_scores:
    input:
        scores=expand(
            "results/{budget}/{dataset}/{split}/fold{fold}/{model}/scores.csv",
            model=RUN.systems,
            allow_missing=True,
        ),
    output:
        "results/{budget}/{dataset}/{split}/fold{fold}/scores.csv",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/collect_scores.log",
    resources:
        **by_attempt(mem_mb=2000, runtime=10),
    params:
        code=code("evaluation/collect_scores"),
    script:
        "../scripts/evaluation/collect_scores.py"


rule submission:
    input:
        submission=PREDICTION_FILE or [],
        features=shards("features"),
        split="results/{budget}/{dataset}/split/{split}.csv",
    output:
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}/submission.log",
    wildcard_constraints:
        model=CANDIDATE if PREDICTION_FILE else "(?!)",
    resources:
        **by_attempt(mem_mb=2000, runtime=10),
    params:
        code=code("leaderboard/submission"),
    script:
        "../scripts/leaderboard/submission.py"


rule compare_candidate:
    input:
        baselines=[
            f"results/baselines/{{dataset}}/{name}"
            for name in ("manifest.json", "scores.csv.gz", "predictions.h5")
        ],
        presets=f"results/{FROZEN['budget']}/{{dataset}}/presets.csv",
        split=f"results/{FROZEN['budget']}/{{dataset}}/split/{config['split']}.csv",
        audio=expand(
            f"results/{FROZEN['budget']}/{{dataset}}/audio/{{shard}}.h5",
            shard=range(config["budgets"][FROZEN["budget"]]["shards"]),
            allow_missing=True,
        ),
        candidate=lambda wildcards: expand(
            f"results/{FROZEN['budget']}/{wildcards.dataset}/{config['split']}/fold{{fold}}/{wildcards.candidate}/{{file}}",
            fold=frozen_folds(Path(f"results/baselines/{wildcards.dataset}")),
            file=["scores.csv", "predictions.h5", "audio.h5"],
        ),
    output:
        csv=f"{COMPARISONS}/{{candidate}}/comparison.csv",
        md=f"{COMPARISONS}/{{candidate}}/comparison.md",
        index=f"{COMPARISONS}/{{candidate}}/index.html",
    log:
        f"results/{FROZEN['budget']}/{{dataset}}/logs/compare/{{candidate}}.log",
    benchmark:
        f"results/{FROZEN['budget']}/{{dataset}}/benchmarks/compare/{{candidate}}.tsv"
    wildcard_constraints:
        candidate="[a-z][a-z0-9_]*",
    resources:
        **by_attempt(mem_mb=4000, runtime=20),
    params:
        code=code("leaderboard/compare"),
        budget=FROZEN["budget"],
        split=config["split"],
        source=CANDIDATE_SOURCE,
        render=RENDER,
        seed=config["seed"],
    script:
        "../scripts/leaderboard/compare.py"
