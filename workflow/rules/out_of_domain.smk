# Out-of-domain sounds: every model of the first fold predicts them, by the rules of the test set.
from flowsynth.config import missing_packages, ood_models, source_files

OUTSIDE = [
    name for name, given in config["outside"].items() if not missing_packages(given)
]


rule collect_sounds:
    input:
        sources=lambda wildcards: source_files(config["outside"][wildcards.collection]),
        audio=shards("audio"),
        split=f"results/{{budget}}/{{dataset}}/split/{config['split']}.csv",
    output:
        sounds="results/{budget}/{dataset}/outside/sounds/{collection}.h5",
        checksum="results/{budget}/{dataset}/outside/sounds/{collection}.h5.sha256",
        manifest="results/{budget}/{dataset}/outside/sounds/{collection}.csv",
    log:
        "results/{budget}/{dataset}/logs/outside/sounds/{collection}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/outside/sounds/{collection}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(30),
    params:
        code=code("collect_sounds"),
        given=lambda wildcards: config["outside"][wildcards.collection],
        limit=lambda wildcards: budget(wildcards)["outside"]["sounds"],
        render=RENDER,
        seed=config["seed"],
    script:
        "../scripts/collect_sounds.py"


use rule features as features_out_of_domain with:
    input:
        audio="results/{budget}/{dataset}/outside/sounds/{collection}.h5",
        checksum="results/{budget}/{dataset}/outside/sounds/{collection}.h5.sha256",
    output:
        features="results/{budget}/{dataset}/outside/features/{collection}.h5",
        checksum="results/{budget}/{dataset}/outside/features/{collection}.h5.sha256",
    log:
        "results/{budget}/{dataset}/logs/outside/features/{collection}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/outside/features/{collection}.tsv"


use rule predict as predict_out_of_domain with:
    input:
        synth=lambda wildcards: synth_of(wildcards.dataset),
        features=expand(
            "results/{budget}/{dataset}/outside/features/{collection}.h5",
            collection=OUTSIDE,
            allow_missing=True,
        ),
        targets=expand(
            "results/{budget}/{dataset}/outside/sounds/{collection}.h5",
            collection=OUTSIDE,
            allow_missing=True,
        ),
        checkpoint="results/{budget}/{dataset}/{split}/fold{fold}/{model}/checkpoint.pt",
    output:
        predictions="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/predictions.h5",
        predictions_checksum="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/predictions.h5.sha256",
        audio="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/audio.h5",
        audio_checksum="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/audio.h5.sha256",
        scores="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/scores.csv",
    log:
        "results/{budget}/{dataset}/logs/outside/{split}/fold{fold}/{model}/predict.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/outside/{split}/fold{fold}/{model}/predict.tsv"
    wildcard_constraints:
        model=ANY_MODEL,


# Control: how close the synthesizer can come to some of the sounds, by a search from the nearest preset.
rule search_cma_es:
    input:
        synth=lambda wildcards: synth_of(wildcards.dataset),
        targets=expand(
            "results/{budget}/{dataset}/outside/sounds/{collection}.h5",
            collection=OUTSIDE,
            allow_missing=True,
        ),
        starts="results/{budget}/{dataset}/outside/{split}/fold{fold}/nearest/predictions.h5",
    output:
        predictions="results/{budget}/{dataset}/outside/{split}/fold{fold}/search/predictions.h5",
        checksum="results/{budget}/{dataset}/outside/{split}/fold{fold}/search/predictions.h5.sha256",
    log:
        "results/{budget}/{dataset}/logs/outside/{split}/fold{fold}/search/search_cma_es.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/outside/{split}/fold{fold}/search/search_cma_es.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(120),
    params:
        code=code("search_cma_es"),
        outside=lambda wildcards: budget(wildcards)["outside"],
        render=RENDER,
        features=config["features"],
        seed=config["seed"],
    script:
        "../scripts/search_cma_es.py"


use rule score as score_out_of_domain with:
    input:
        synth=lambda wildcards: synth_of(wildcards.dataset),
        targets=expand(
            "results/{budget}/{dataset}/outside/sounds/{collection}.h5",
            collection=OUTSIDE,
            allow_missing=True,
        ),
        predictions="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/predictions.h5",
    output:
        audio="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/audio.h5",
        checksum="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/audio.h5.sha256",
        scores="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/scores.csv",
    log:
        "results/{budget}/{dataset}/logs/outside/{split}/fold{fold}/{model}/score.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/outside/{split}/fold{fold}/{model}/score.tsv"


ruleorder: predict_out_of_domain > score_out_of_domain


rule summarise_out_of_domain:
    input:
        manifests=expand(
            "results/{budget}/{dataset}/outside/sounds/{collection}.csv",
            collection=OUTSIDE,
            allow_missing=True,
        ),
        scores=lambda wildcards: expand(
            "results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/scores.csv",
            budget=wildcards.budget,
            dataset=wildcards.dataset,
            split=config["split"],
            fold=0,
            model=ood_models(config, wildcards.budget),
        ),
    output:
        csv="results/{budget}/{dataset}/tables/outside.csv",
        md="results/{budget}/{dataset}/tables/outside.md",
    log:
        "results/{budget}/{dataset}/logs/tables/collect_sounds.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/tables/collect_sounds.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code("summarise_out_of_domain"),
        models=lambda wildcards: ood_models(config, wildcards.budget),
        wanting={
            name: missing_packages(given)
            for name, given in config["outside"].items()
            if missing_packages(given)
        },
    script:
        "../scripts/summarise_out_of_domain.py"


# Benchmark of `flowsynth match` on some of the sounds; not part of the default target.
TRAINED = [
    system.name for system in PARSED if not system.steps and not system.is_control
]


rule benchmark_match:
    input:
        sounds=expand(
            "results/{budget}/{dataset}/outside/sounds/{collection}.h5",
            collection=OUTSIDE,
            allow_missing=True,
        ),
        checkpoints=expand(
            "results/{{budget}}/{{dataset}}/{split}/fold0/{model}/checkpoint.pt",
            split=config["split"],
            model=TRAINED,
        ),
        scores=expand(
            "results/{{budget}}/{{dataset}}/{split}/fold0/{model}/scores.csv",
            split=config["split"],
            model=TRAINED,
        ),
        audio=shards("audio"),
        features=shards("features"),
        presets="results/{budget}/{dataset}/presets.csv",
        split=f"results/{{budget}}/{{dataset}}/split/{config['split']}.csv",
    output:
        csv="results/{budget}/{dataset}/tables/matches.csv",
    log:
        "results/{budget}/{dataset}/logs/tables/benchmark_match.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/tables/benchmark_match.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        code=code("benchmark_match", *TRAINED),
        each=5,  # of a collection
        seed=config["seed"],
    script:
        "../scripts/benchmark_match.py"
