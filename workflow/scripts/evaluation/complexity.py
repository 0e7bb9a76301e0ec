"""Compare the scores of data sets with different numbers of parameters."""

from pathlib import Path

from flowsynth.core.layout import RunPaths
from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv, write_text
from flowsynth.evaluation.scaling import parameter_count_latex, parameter_count_markdown, scores_by_parameter_count
from flowsynth.evaluation.summary import gather
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    paths, output = [Path(path) for path in snakemake.input.scores], snakemake.output
    names = [RunPaths.parse(path).dataset for path in paths]
    scores = {name: (len(dataset(name)[1]), gather([path])) for name, path in zip(names, paths, strict=True)}
    summary = scores_by_parameter_count(scores, snakemake.params.models)
    write_csv(summary, Path(output.csv))
    write_text(Path(output.md), parameter_count_markdown(summary))
    write_text(Path(output.tex), parameter_count_latex(summary))
