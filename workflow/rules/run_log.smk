# Print one line per job, unless an option chooses other output: --verbose, --quiet, --printshellcmds, --logger.
from flowsynth.core.run_log import replace_default_handler
from snakemake.logging import logger


def prints_lines():
    """Whether this process runs jobs and no option chooses its output."""
    settings = workflow.output_settings
    if settings.dryrun or settings.verbose or settings.quiet or settings.printshellcmds:
        return False
    return workflow.is_main_process and not (
        settings.debug_dag or settings.show_failed_logs
    )


if prints_lines():
    replace_default_handler(logger)
