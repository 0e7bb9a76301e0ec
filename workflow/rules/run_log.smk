# Print one line per job, unless an option chooses other output: --verbose, --quiet, --printshellcmds, --logger.
from flowsynth.core.run_log import replace_default_handler
from snakemake.logging import logger


def say_little():
    """Whether this process runs jobs and no option chooses its output."""
    said = workflow.output_settings
    if said.dryrun or said.verbose or said.quiet or said.printshellcmds:
        return False
    return workflow.is_main_process and not (said.debug_dag or said.show_failed_logs)


if say_little():
    replace_default_handler(logger)
