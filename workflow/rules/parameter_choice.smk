# Select the parameters of the smaller data sets; not part of a run, as the parameter table holds the result.
rule select_parameters:
    input:
        table=str(PACKAGE / "synths/specs" / "{synth}.yaml"),
    output:
        "results/parameter_choice/{synth}.csv",
    log:
        "results/logs/parameter_choice/{synth}.log",
    benchmark:
        "results/benchmarks/parameter_choice/{synth}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(30),
    params:
        code=code("select_parameters"),
        render=RENDER,
        presets=100,
        seed=config["seed"],
    script:
        "../scripts/select_parameters.py"
