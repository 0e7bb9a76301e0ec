# When a run starts, require a GPU for trainings that need one. On a Slurm cluster, end a run that has lost track of its jobs;
# Snakemake would wait forever.
import os
import signal
import sys
import threading
from pathlib import Path

from flowsynth.core.slurm_watch import watch


def require_gpu():
    """Stop before data are rendered for a training on this machine that needs a GPU, if there is none."""
    budgets = {
        job.wildcards.budget
        for job in workflow.dag.needrun_jobs()
        if job.rule.name == "train"
    }
    for name in sorted(budgets):
        accelerator = config["budgets"][name]["accelerator"]
        if accelerator == "gpu" and workflow.is_main_process and workflow.local_exec:
            from flowsynth.training.accelerator import select_device

            try:
                select_device(accelerator)
            except ValueError as error:
                stop(f"config.budgets.{name}: {error}")


def end_when_lost():
    """Wait until the run is lost, print why, and interrupt it."""
    settings = workflow.executor_settings, workflow.remote_execution_settings
    asked = settings[0].status_attempts / settings[1].max_status_checks_per_second
    message = watch(Path.cwd(), 2 * asked, min(30, asked / 5))
    print(f"\nerror: {message}\n", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGUSR1)


onstart:
    require_gpu()
    # Snakemake 9.27 starts a timer for every job that ends while others wait, and each repeats until none waits: after some
    # hundred jobs they take half a core, and the last one delays the exit. They serve a limit of 100 new jobs a second.
    if hasattr(workflow.scheduler, "job_rate_limiter"):
        workflow.scheduler.job_rate_limiter = None
    if workflow.is_main_process and workflow.executor_plugin.name == "slurm":
        # like Ctrl-C, whose own signal is ignored by processes that a script or nohup started in the background
        signal.signal(signal.SIGUSR1, signal.default_int_handler)
        threading.Thread(target=end_when_lost, daemon=True).start()
