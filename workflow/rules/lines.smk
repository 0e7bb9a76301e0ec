# A line a job in the terminal, unless something else was asked for: --verbose, --quiet, --printshellcmds, --logger.
from flowsynth.core.run_log import replace_default_handler
from snakemake.logging import logger


def say_little():
    """Whether this is a run that is watched, and nothing was said of its output."""
    said = workflow.output_settings
    if said.dryrun or said.verbose or said.quiet or said.printshellcmds:
        return False
    return workflow.is_main_process and not (said.debug_dag or said.show_failed_logs)


if say_little():
    replace_default_handler(logger)
