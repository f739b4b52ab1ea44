"""What the gateway can be told from outside."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from mesh.settings import MeshSettings


def _split(value: object) -> object:
    """`a, b` as a list: easier to write in an environment variable than JSON."""
    return [item for item in (part.strip() for part in value.split(",")) if item] if isinstance(value, str) else value


def _without_scheme(value: object) -> object:
    """`dns:///host:port`, as gRPC clients may write a target, is `host:port` for Envoy."""
    return value.removeprefix("dns:///") if isinstance(value, str) else value


Target = Annotated[
    str,
    BeforeValidator(_without_scheme),
    # A name or IPv4 address, or an IPv6 address in brackets, and a port.
    Field(pattern=r"^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$"),
]


class GatewaySettings(MeshSettings):
    """Where the gateway listens, whom it asks, and what it lets through."""

    gateway_port: int = Field(8080, ge=0, le=65535, description="The port of REST, gRPC and gRPC-Web; 0 is a free one.")
    gateway_workers: int = Field(2, ge=1, le=64, description="Threads that serve; one a core it may use.")
    ingestion_target: Target = Field("127.0.0.1:50051", description="host:port of the ingestion server.")
    predictor_target: Target = Field("127.0.0.1:50052", description="host:port of the predictor.")
    router_target: Target = Field("127.0.0.1:50053", description="host:port of the router.")
    gateway_cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        ("*",),
        description="Web pages that may call, such as https://example.org, separated by commas; * is all (there are no"
        " cookies that a foreign page could abuse).",
    )
    gateway_max_body_bytes: int = Field(2**20, ge=1024, le=4 * 2**20, description="The largest JSON body taken.")
    gateway_max_deadline_seconds: float = Field(
        30.0, gt=0, description="The longest deadline that a caller may ask for with grpc-timeout."
    )
    gateway_stream_seconds: float = Field(
        3600.0, gt=0, description="How long a stream may last before its client has to resume it by its token."
    )
    gateway_requests_per_second: int = Field(
        500, ge=1, description="Requests that one gateway process takes a second, with bursts of twice as many."
    )
    gateway_xff_trusted_hops: int = Field(
        0, ge=0, le=16, description="How many proxies in front of the gateway are believed on x-forwarded-for."
    )
