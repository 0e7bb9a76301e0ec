"""Poll Slurm at least every second: Snakemake waits up to three minutes between polls, and has no setting for it.

Activated via PYTHONPATH, so that the command under test stays unchanged.
"""

import asyncio

from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def sleep(self: RemoteExecutor) -> None:
    await asyncio.sleep(min(1.0, self.next_seconds_between_status_checks))


RemoteExecutor.sleep = sleep
