# A failed run lists what is missing; a complete one removes that list.
def report_incomplete(failed):
    """Write the partial tables of a failed run, and remove them once nothing is missing."""
    from flowsynth.evaluation.incomplete_runs import (
        report_missing,
        report_missing_out_of_domain,
    )

    for dataset in RUN.datasets:
        folder = Path(f"results/{config['budget']}/{dataset}")
        split, models = config["split"], RUN.systems
        messages = [report_missing(folder, split, RUN.budget["folds"], models, failed)]
        if RUN.collections:
            models = settings.ood_models(config, config["budget"])
            messages += [report_missing_out_of_domain(folder, split, models, failed)]
        for message in filter(None, messages):
            print(f"\n{message}\n", file=sys.stderr)


onsuccess:
    report_incomplete(failed=False)


onerror:
    report_incomplete(failed=True)
