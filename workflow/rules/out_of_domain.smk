# Out-of-domain sounds: every model of the first fold predicts them, by the rules of the test set.
rule collect_sounds:
    input:
        audio=shards("audio"),
        sources=lambda wildcards: settings.source_files(
            config["out_of_domain"][wildcards.collection]
        ),
        split=f"results/{{budget}}/{{dataset}}/split/{config['split']}.csv",
    output:
        sounds="results/{budget}/{dataset}/outside/sounds/{collection}.h5",
        manifest="results/{budget}/{dataset}/outside/sounds/{collection}.csv",
    log:
        "results/{budget}/{dataset}/logs/outside/sounds/{collection}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/outside/sounds/{collection}.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=30),
    params:
        code=code("data/collect_sounds"),
        collection=lambda wildcards: config["out_of_domain"][wildcards.collection],
        limit=lambda wildcards: budget(wildcards)["out_of_domain"]["sounds"],
        render=RENDER,
        seed=config["seed"],
    script:
        "../scripts/data/collect_sounds.py"


use rule features as features_out_of_domain with:
    input:
        audio="results/{budget}/{dataset}/outside/sounds/{collection}.h5",
    output:
        features="results/{budget}/{dataset}/outside/features/{collection}.h5",
    log:
        "results/{budget}/{dataset}/logs/outside/features/{collection}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/outside/features/{collection}.tsv"


use rule predict as predict_out_of_domain with:
    input:
        synth=synth_of,
        features=expand(
            "results/{budget}/{dataset}/outside/features/{collection}.h5",
            collection=RUN.collections,
            allow_missing=True,
        ),
        targets=expand(
            "results/{budget}/{dataset}/outside/sounds/{collection}.h5",
            collection=RUN.collections,
            allow_missing=True,
        ),
        checkpoint="results/{budget}/{dataset}/{split}/fold{fold}/{model}/checkpoint.pt",
    output:
        predictions="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/predictions.h5",
        audio="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/audio.h5",
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
        synth=synth_of,
        targets=expand(
            "results/{budget}/{dataset}/outside/sounds/{collection}.h5",
            collection=RUN.collections,
            allow_missing=True,
        ),
        starts="results/{budget}/{dataset}/outside/{split}/fold{fold}/nearest/predictions.h5",
    output:
        predictions="results/{budget}/{dataset}/outside/{split}/fold{fold}/search/predictions.h5",
    log:
        "results/{budget}/{dataset}/logs/outside/{split}/fold{fold}/search/search_cma_es.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/outside/{split}/fold{fold}/search/search_cma_es.tsv"
    resources:
        **by_attempt(mem_mb=1000, runtime=120),
    params:
        code=code("inference/search_cma_es"),
        out_of_domain=lambda wildcards: budget(wildcards)["out_of_domain"],
        render=RENDER,
        features=config["features"],
        seed=config["seed"],
    script:
        "../scripts/inference/search_cma_es.py"


use rule score as score_out_of_domain with:
    input:
        synth=synth_of,
        targets=expand(
            "results/{budget}/{dataset}/outside/sounds/{collection}.h5",
            collection=RUN.collections,
            allow_missing=True,
        ),
        predictions="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/predictions.h5",
    output:
        audio="results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/audio.h5",
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
            collection=RUN.collections,
            allow_missing=True,
        ),
        scores=lambda wildcards: expand(
            "results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/scores.csv",
            budget=wildcards.budget,
            dataset=wildcards.dataset,
            split=config["split"],
            fold=0,
            model=settings.ood_models(config, wildcards.budget),
        ),
    output:
        csv="results/{budget}/{dataset}/tables/outside.csv",
        md="results/{budget}/{dataset}/tables/outside.md",
    log:
        "results/{budget}/{dataset}/logs/tables/collect_sounds.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/tables/collect_sounds.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=10),
    params:
        code=code("evaluation/summarise_out_of_domain"),
        models=lambda wildcards: settings.ood_models(config, wildcards.budget),
        missing_packages=RUN.missing_packages,
    script:
        "../scripts/evaluation/summarise_out_of_domain.py"


# Benchmark of `flowsynth match` on some of the sounds; not part of the default target.
rule benchmark_match:
    input:
        sounds=expand(
            "results/{budget}/{dataset}/outside/sounds/{collection}.h5",
            collection=RUN.collections,
            allow_missing=True,
        ),
        checkpoints=expand(
            "results/{{budget}}/{{dataset}}/{split}/fold0/{model}/checkpoint.pt",
            split=config["split"],
            model=RUN.trained_models,
        ),
        scores=expand(
            "results/{{budget}}/{{dataset}}/{split}/fold0/{model}/scores.csv",
            split=config["split"],
            model=RUN.trained_models,
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
    resources:
        **by_attempt(mem_mb=4000, runtime=60),
    params:
        code=code("apps/benchmark_match", *RUN.trained_models),
        each=5,  # of a collection
        seed=config["seed"],
    script:
        "../scripts/apps/benchmark_match.py"
