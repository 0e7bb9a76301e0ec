"""Ask Slurm at least every second: between two looks a run waits up to three minutes, and there is no setting for it.

A folder for PYTHONPATH, so that the command under test stays as it is.
"""

import asyncio

from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def sleep(self: RemoteExecutor) -> None:
    await asyncio.sleep(min(1.0, self.next_seconds_between_status_checks))


RemoteExecutor.sleep = sleep
