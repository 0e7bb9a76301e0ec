# Predict, render the predictions and score them, in one process: each of the three takes seconds.
rule predict:
    input:
        synth=synth_of,
        features=shards("features"),
        targets=shards("audio"),
        split="results/{budget}/{dataset}/split/{split}.csv",
        checkpoint="results/{budget}/{dataset}/{split}/fold{fold}/{model}/checkpoint.pt",
    output:
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
        audio="results/{budget}/{dataset}/{split}/fold{fold}/{model}/audio.h5",
        scores="results/{budget}/{dataset}/{split}/fold{fold}/{model}/scores.csv",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}/predict.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}/predict.tsv"
    wildcard_constraints:
        model=ANY_MODEL,
    resources:
        **by_attempt(mem_mb=4000, runtime=60),
    params:
        code=code_for_model("inference/predict"),
        samples=lambda wildcards: (
            budget(wildcards)["samples"]
            if draws_from_density(System.parse(wildcards.model).model)
            else 1
        ),
        accelerator=lambda wildcards: budget(wildcards)["accelerator"],
        render=RENDER,
        seed=config["seed"],
    script:
        "../scripts/inference/predict.py"


# without a GPU
use rule predict as predict_control with:
    wildcard_constraints:
        model=CONTROLS,


# Systems: models whose predictions are chosen or refined, see flowsynth.models.systems.
# Each rule writes predictions in the format of a model, so later rules treat systems as models.
# Without renderings: one preset from draws of a density.
rule decide:
    input:
        features=shards("features"),
        split="results/{budget}/{dataset}/split/{split}.csv",
        checkpoint="results/{budget}/{dataset}/{split}/fold{fold}/{model}/checkpoint.pt",
    output:
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}_{decision}{draws}/predictions.h5",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}_{decision}{draws}/decide.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}_{decision}{draws}/decide.tsv"
    wildcard_constraints:
        model=ANY_MODEL,
        decision="|".join(sorted({*DECISION_RULES} - {*SURROGATE_RULES})),
    resources:
        **by_attempt(mem_mb=4000, runtime=60),
    params:
        code=code_for_model("inference/decide"),
        accelerator=lambda wildcards: budget(wildcards)["accelerator"],
        seed=config["seed"],
    script:
        "../scripts/inference/decide.py"


use rule decide as decide_by_surrogate with:
    input:
        features=shards("features"),
        split="results/{budget}/{dataset}/split/{split}.csv",
        checkpoint="results/{budget}/{dataset}/{split}/fold{fold}/{model}/checkpoint.pt",
        surrogate=f"results/{{budget}}/{{dataset}}/{{split}}/fold{{fold}}/{SURROGATE}/checkpoint.pt",
    wildcard_constraints:
        model=ANY_MODEL,
        decision="|".join(SURROGATE_RULES),
    params:
        code=lambda wildcards: code("inference/decide", wildcards.model, SURROGATE)(
            wildcards
        ),


rule predict_candidates:
    input:
        features=shards("features"),
        split="results/{budget}/{dataset}/split/{split}.csv",
        checkpoint="results/{budget}/{dataset}/{split}/fold{fold}/{model}/checkpoint.pt",
    output:
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}_best{renderings}/candidates.h5",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}_best{renderings}/candidates.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}_best{renderings}/candidates.tsv"
    wildcard_constraints:
        model=ANY_MODEL,
    resources:
        **by_attempt(mem_mb=4000, runtime=60),
    params:
        code=code_for_model("inference/predict_candidates"),
        samples=lambda wildcards: int(wildcards.renderings),
        accelerator=lambda wildcards: budget(wildcards)["accelerator"],
        seed=config["seed"],
    script:
        "../scripts/inference/predict_candidates.py"


rule best_of_n:
    input:
        synth=synth_of,
        targets=shards("audio"),
        candidates="results/{budget}/{dataset}/{split}/fold{fold}/{model}_best{renderings}/candidates.h5",
    output:
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}_best{renderings}/predictions.h5",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}_best{renderings}/best_of_n.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}_best{renderings}/best_of_n.tsv"
    resources:
        **by_attempt(mem_mb=1000, runtime=120),
    params:
        code=code("inference/best_of_n"),
        render=RENDER,
        features=config["features"],
    script:
        "../scripts/inference/best_of_n.py"


use rule predict_candidates as predict_initial_candidates with:
    output:
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}_corrected{renderings}/candidates.h5",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}_corrected{renderings}/candidates.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}_corrected{renderings}/candidates.tsv"
    params:
        samples=lambda wildcards: (
            INITIAL_CANDIDATES if is_surrogate(wildcards.model) else PROPOSALS
        ),


rule surrogate_search:
    input:
        synth=synth_of,
        targets=shards("audio"),
        checkpoint=lambda wildcards: (
            "results/{budget}/{dataset}/{split}/fold{fold}/"
            f"{wildcards.model if is_surrogate(wildcards.model) else SURROGATE}/checkpoint.pt"
        ).format(**wildcards),
        candidates="results/{budget}/{dataset}/{split}/fold{fold}/{model}_corrected{renderings}/candidates.h5",
    output:
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}_corrected{renderings}/predictions.h5",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}_corrected{renderings}/surrogate_search.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}_corrected{renderings}/surrogate_search.tsv"
    resources:
        **by_attempt(mem_mb=4000, runtime=240),
    params:
        code=lambda wildcards: code(
            "inference/surrogate_search", wildcards.model, SURROGATE
        )(wildcards),
        # proposals of another model are starts of a descent
        descents=lambda wildcards: (
            0 if is_surrogate(wildcards.model) else INITIAL_CANDIDATES
        ),
        render=RENDER,
        features=config["features"],
        accelerator=lambda wildcards: budget(wildcards)["accelerator"],
    script:
        "../scripts/inference/surrogate_search.py"


rule refine_cma_es:
    input:
        synth=synth_of,
        targets=shards("audio"),
        starts="results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
    output:
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}_refined{renderings}/predictions.h5",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}_refined{renderings}/refine_cma_es.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}_refined{renderings}/refine_cma_es.tsv"
    resources:
        **by_attempt(mem_mb=1000, runtime=240),
    params:
        code=code("inference/refine_cma_es"),
        render=RENDER,
        features=config["features"],
        seed=config["seed"],
    script:
        "../scripts/inference/refine_cma_es.py"
