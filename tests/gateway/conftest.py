"""The real Envoy in front of servers of the real contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from subprocess import DEVNULL

import grpc
import httpx
import pytest_asyncio

from gateway.envoy import Envoy
from gateway.settings import GatewaySettings
from mesh.settings import MeshSettings
from tests.gateway.peers import KEY, Peers, Witness, peers


def error_info(reason: str) -> dict[str, str]:
    """The detail that tells programs what a refusal of the gateway's own is."""
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "cleanair"}


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway, ways to call it, and what the servers behind it saw."""

    envoy: Envoy
    http: httpx.AsyncClient
    channel: grpc.aio.Channel
    witness: Witness


@asynccontextmanager
async def gateway_before(servers: Peers, **settings: object) -> AsyncIterator[Gateway]:
    """Starts a gateway on a free port in front of the servers."""
    chosen = {
        "gateway_port": 0,
        "gateway_workers": 1,
        "operator_api_key": KEY,
        "lame_duck_seconds": 0,
        "default_deadline_seconds": 1.0,
        "gateway_max_deadline_seconds": 3.0,
        "ingestion_target": servers.ingestion,
        "predictor_target": servers.predictor,
        "router_target": servers.router,
    }
    envoy = await Envoy.start(GatewaySettings.model_validate(chosen | settings), stdout=DEVNULL, stderr=DEVNULL)
    try:
        target = f"127.0.0.1:{await envoy.port()}"
        async with (
            httpx.AsyncClient(base_url=f"http://{target}", timeout=20.0) as http,
            grpc.aio.insecure_channel(target) as channel,
        ):
            yield Gateway(envoy, http, channel, servers.witness)
    finally:
        await envoy.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers() -> AsyncIterator[Peers]:
    """The three servers, on free ports."""
    async with peers(MeshSettings(operator_api_key=KEY, lame_duck_seconds=0, stop_grace_seconds=0.2)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(servers: Peers) -> AsyncIterator[Gateway]:
    """The gateway in front of them."""
    async with gateway_before(servers) as running:
        yield running
