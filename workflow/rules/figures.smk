# One rule draws each figure in both formats; the targets are named after the keys of FIGURES:
#
#     snakemake -c2 figure_macro_controls
#     snakemake --list-target-rules | grep figure_
#
# Figures of single sounds show the first fold; figures of a single model lie in the folder of that model.
# The script calls the function with the name of the rule in a module of flowsynth.figures.
for name, figure in FIGURES.items():
    source = figure.get("module", name)
    folder, _, file = figure["path"].partition("/figures/")

    rule:
        name:
            f"draw_{name}"
        input:
            **figure["input"],
            style=STYLE,
        output:
            captioned(figure["path"]),
        log:
            f"{folder}/logs/figures/{file}.log",
        benchmark:
            f"{folder}/benchmarks/figures/{file}.tsv"
        resources:
            **by_attempt(mem_mb=figure.get("mem_mb", 2000), runtime=10),
        params:
            **figure.get("params", {}),
            code=code_of_figure(source),
            module=source,
        script:
            "../scripts/figures/draw.py"

    rule:
        name:
            f"figure_{name}"
        input:
            lambda wildcards, name=name: required(
                DRAWN.get(name), RUN.unavailable_figures.get(name)
            ),
