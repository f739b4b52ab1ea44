"""What a web page of another origin may do."""

from __future__ import annotations

import pytest

from tests.gateway.conftest import Gateway, gateway_before
from tests.gateway.peers import Peers

PAGE = "https://map.example.org"
PREFLIGHT = {
    "origin": PAGE,
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type,x-api-key",
}


@pytest.mark.parametrize(
    "path",
    ["/api/v1/routes/calculate", "/api/v1/health", "/cleanair.router.v1.RouteService/GetRoute", "/nowhere"],
)
async def test_a_preflight_is_granted_on_every_path(gateway: Gateway, path: str) -> None:
    answer = await gateway.http.options(path, headers=PREFLIGHT)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "x-api-key" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/routes/r1", 200),
        ("/api/v1/routes/missing", 404),
        ("/api/v1/readings?color=red", 400),
        ("/api/v1/models/status", 401),
        ("/api/v1/models/reload", 405),
        ("/nowhere", 404),
        ("/", 200),
    ],
)
async def test_a_page_may_read_answers_and_refusals(gateway: Gateway, path: str, status: int) -> None:
    answer = await gateway.http.get(path, headers={"origin": PAGE})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] in {PAGE, "*"}


async def test_only_pages_that_were_named_may_call(servers: Peers) -> None:
    async with gateway_before(
        servers, gateway_cors_origins="https://ours.example.org, https://theirs.example.org"
    ) as strict:
        for origin, granted in (("https://theirs.example.org", True), (PAGE, False)):
            preflight = await strict.http.options("/api/v1/health", headers=PREFLIGHT | {"origin": origin})
            answer = await strict.http.get("/api/v1/health", headers={"origin": origin})
            assert ("access-control-allow-origin" in preflight.headers) is granted
            assert ("access-control-allow-origin" in answer.headers) is granted
