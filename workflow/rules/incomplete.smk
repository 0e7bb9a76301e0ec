# A run that failed tells what is missing, and one that did not takes that back.
def report_incomplete(failed):
    """Write the tables so far of a run that failed, and remove them once nothing is missing."""
    from flowsynth.incomplete import report

    for dataset in BUDGET["datasets"]:
        folder = Path(f"results/{config['budget']}/{dataset}")
        told = report(
            folder, config["split"], BUDGET["folds"], config["models"], failed
        )
        if told:
            print(f"\n{told}\n", file=sys.stderr)


onsuccess:
    report_incomplete(failed=False)


onerror:
    report_incomplete(failed=True)
