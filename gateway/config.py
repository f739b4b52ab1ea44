"""Envoy's configuration: `envoy.yaml` with its places filled in."""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from gateway.contracts import (
    ClosedMethod,
    RestMethod,
    closed_methods,
    message_fields,
    read_descriptors,
    rest_methods,
)
from gateway.settings import GatewaySettings

Json = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"]

# A header that no request lacks: a route that asks for its absence is never taken.
_NEVER: Json = [{"name": ":method", "present_match": False}]

_NOT_REST: Json = {
    "envoy.filters.http.grpc_json_transcoder": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        "proto_descriptor_bin": "",
        "services": [],
    }
}


def render(settings: GatewaySettings, descriptors: Path, folder: Path) -> str:
    """The configuration as YAML, comments and all.

    It holds the operator key: whoever writes it to a file keeps that file to themselves.

    Args:
        settings: What the gateway was told.
        descriptors: The contracts' descriptor set, which Envoy opens by this path.
        folder: A private folder, where Envoy shall put `admin.sock`, the socket of its admin interface.
    """
    contracts = read_descriptors(descriptors)
    methods = rest_methods(contracts)
    values: dict[str, Json] = {
        "ADMIN_ADDRESS": _socket(folder / "admin.sock"),
        "METRICS_ADDRESS": (
            _address(settings.host, settings.metrics_port)
            if settings.metrics_port
            else _socket(folder / "metrics.sock")
        ),
        "LISTEN_ADDRESS": _address(settings.host, settings.gateway_port),
        "XFF_TRUSTED_HOPS": settings.gateway_xff_trusted_hops,
        "CORS_ORIGINS": [_origin(origin) for origin in settings.gateway_cors_origins],
        "DEADLINE": _seconds(settings.default_deadline_seconds),
        "MAX_DEADLINE": _seconds(settings.gateway_max_deadline_seconds),
        "STREAM_DURATION": _seconds(settings.gateway_stream_seconds),
        "REQUESTS_PER_SECOND": settings.gateway_requests_per_second,
        "BURST": 2 * settings.gateway_requests_per_second,
        "MAX_BODY": settings.gateway_max_body_bytes,
        "DESCRIPTOR": str(descriptors),
        "SERVICES": sorted({method.service for method in methods}),
        "UNKNOWN_FIELDS": f"local MESSAGES = {_lua(message_fields(contracts))}\n{_text('unknown_fields.lua')}",
        "INDEX": json.dumps(_index(methods), ensure_ascii=False),
        "INGESTION_HOSTS": _hosts("ingestion", settings.ingestion_target),
        "PREDICTOR_HOSTS": _hosts("predictor", settings.predictor_target),
        "ROUTER_HOSTS": _hosts("router", settings.router_target),
    }
    template = _splice(_text("envoy.yaml"), "CLOSED_ROUTES", _closed_routes(closed_methods(contracts), settings))
    template = _splice(template, "REST_ROUTES", _rest_routes(methods, settings))
    return Template(template).substitute({name: _yaml(value) for name, value in values.items()})


def _text(name: str) -> str:
    return (importlib.resources.files("gateway") / name).read_text(encoding="utf-8")


def _lua(fields: Mapping[str, Mapping[str, str]]) -> str:
    """As a table of Lua. Names in contracts need no escapes, but quotes: `end` is one of ours, and a word of Lua's."""
    tables = []
    for message, own in fields.items():
        entries = ",".join(f'["{name}"]="{held}"' for name, held in own.items())
        tables.append(f'["{message}"]={{{entries}}}')
    return f"{{{','.join(tables)}}}"


def _splice(template: str, name: str, items: Sequence[Json]) -> str:
    """Puts list items, one a line, where the place stands alone on its line."""

    def lines(match: re.Match[str]) -> str:
        return "\n".join(f"{match[1]}- {_yaml(item)}".replace("$", "$$") for item in items)

    return re.sub(rf"^( *)\$\{{{name}\}}$", lines, template, flags=re.MULTILINE)


def _yaml(value: Json) -> str:
    """JSON on one line, which is YAML, and which nothing in a value can break out of."""
    return json.dumps(value)


def _seconds(value: float) -> str:
    return f"{value:.3f}s"


def _address(host: str, port: int) -> Json:
    return {"socket_address": {"address": host, "port_value": port}}


def _socket(path: Path) -> Json:
    return {"pipe": {"path": str(path), "mode": 0o600}}


def _hosts(cluster: str, target: str) -> Json:
    host, _, port = target.rpartition(":")
    endpoint: Json = {"endpoint": {"address": _address(host.strip("[]"), int(port))}}
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": [endpoint]}]}


def _origin(origin: str) -> Json:
    return {"safe_regex": {"regex": ".*"}} if origin == "*" else {"exact": origin.rstrip("/")}


def _operator_headers(settings: GatewaySettings) -> Json:
    if settings.operator_api_key is None:
        return _NEVER
    return [{"name": "x-api-key", "string_match": {"exact": settings.operator_api_key.get_secret_value()}}]


def _closed_routes(methods: Sequence[ClosedMethod], settings: GatewaySettings) -> list[Json]:
    """An operator's method passes with the key, on one line, and ends on the next; an internal one ends at once."""
    limit = _seconds(settings.operator_deadline_seconds)
    key = _operator_headers(settings)
    routes: list[Json] = []
    for method in methods:
        if method.is_internal:
            routes.append(_refusal(method, 403, f"{method.name} is internal to the mesh"))
            continue
        route: Json = {
            "cluster": method.server,
            "timeout": "0s",
            "max_stream_duration": {"max_stream_duration": limit, "grpc_timeout_header_max": limit},
            # It may have begun to act: only a call that has not reached its server is tried at another.
            "retry_policy": {"retry_on": "connect-failure,refused-stream", "num_retries": 2},
        }
        routes += [
            {"match": {"path": method.path, "headers": key}, "route": route},
            _refusal(method, 401, "for operators only: send the operator key as x-api-key"),
        ]
    return routes


def _refusal(method: ClosedMethod, status: int, words: str) -> Json:
    return {
        "match": {"path": method.path},
        "direct_response": {"status": status, "body": {"inline_string": words}},
    }


def _rest_routes(methods: Sequence[RestMethod], settings: GatewaySettings) -> list[Json]:
    """A line a REST method, which lets it pass to the transcoder, and a line a path that refuses every other verb."""
    limit = _seconds(max(settings.gateway_max_deadline_seconds, settings.operator_deadline_seconds))
    upload: Json = {"cluster": "rest", "timeout": "0s", "max_stream_duration": {"max_stream_duration": limit}}
    allowed: list[Json] = []
    refused: dict[str, Json] = {}
    for method in methods:
        match: dict[str, Json] = {"path": method.path} if method.is_literal else {"safe_regex": {"regex": method.regex}}
        verb: Json = {"name": ":method", "string_match": {"exact": method.verb}}
        filters = _body_filters(method, settings)
        allowed.append({"match": {**match, "headers": [verb]}, "route": upload, "typed_per_filter_config": filters})
        verbs = ", ".join(sorted({m.verb for m in methods if re.fullmatch(m.regex, method.path)}))
        refused[method.path] = {
            "match": match,
            "direct_response": {"status": 405, "body": {"inline_string": f"this path takes {verbs}"}},
            "response_headers_to_add": [_header("allow", verbs), _header("access-control-allow-origin", "*")],
            "typed_per_filter_config": _NOT_REST,
        }
    return [*allowed, *refused.values()]


def _body_filters(method: RestMethod, settings: GatewaySettings) -> Json:
    """Switches on, for a REST route, what looks at whole bodies."""
    filters = "type.googleapis.com/envoy.extensions.filters.http"
    size: Json = {"max_request_bytes": settings.gateway_max_body_bytes}
    per_route: dict[str, Json] = {
        "envoy.filters.http.buffer": {"@type": f"{filters}.buffer.v3.BufferPerRoute", "buffer": size}
    }
    if method.body:
        context: Json = {"message": method.body}
        per_route["envoy.filters.http.lua"] = {"@type": f"{filters}.lua.v3.LuaPerRoute", "filter_context": context}
    return per_route


def _header(key: str, value: str) -> Json:
    return {"header": {"key": key, "value": value}}


def _index(methods: Sequence[RestMethod]) -> Json:
    return {
        "name": "CleanAir Route",
        "methods": [
            {"verb": method.verb, "path": method.path, "rpc": method.rpc, "summary": method.summary}
            for method in methods
        ],
    }
