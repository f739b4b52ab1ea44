"""The gateway: Envoy with our configuration, owned by this process.

This process stays beside Envoy instead of becoming it: Envoy alone ends at once at a SIGTERM, and with it every call in
flight; here it first says that it leaves, and lets calls end.
"""

from __future__ import annotations

import asyncio
import sys

import structlog
import uvloop

from gateway.envoy import Envoy, EnvoyFailed
from gateway.settings import GatewaySettings
from mesh.errors import CleanAirError
from mesh.logs import configure_logs
from mesh.server import until_stopped

SERVICE = "gateway"

_log = structlog.stdlib.get_logger(SERVICE)


async def main(settings: GatewaySettings) -> None:
    """Runs the gateway until the process is told to stop.

    Raises:
        EnvoyFailed: Envoy did not start, or ended by itself.
    """
    envoy = await Envoy.start(settings)
    stopped = asyncio.create_task(until_stopped())
    ended = asyncio.create_task(envoy.wait())
    try:
        _log.info("listening", host=settings.host, port=await envoy.port())
        await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            raise EnvoyFailed(f"Envoy ended by itself with status {ended.result()}; its log says why")
    finally:
        stopped.cancel()
        await asyncio.gather(stopped, return_exceptions=True)
        await envoy.stop()
        await ended


def start() -> None:
    """Runs the gateway process. Its metrics are Envoy's, which serves them itself."""
    settings = GatewaySettings()
    configure_logs(settings, SERVICE)
    try:
        uvloop.run(main(settings))
    except CleanAirError as error:
        sys.exit(error.message)
