"""What the router can be told from outside."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from mesh.settings import MeshSettings


class RouterSettings(MeshSettings):
    """The settings of the router, beside those of every server."""

    router_port: int = Field(50053, ge=0, le=65535, description="The port of the router; 0 takes any.")
    predictor_target: str = Field("localhost:50052", min_length=1, description="The predictor, host:port.")
    graph_path: Path | None = Field(
        None, description="The street graph to serve, as `cleanair graph import` writes it, or a folder of such files,"
        " each of another region. The router needs one."
    )
    route_ttl_hours: float = Field(24.0, gt=0, description="How long a calculated route can be asked for again.")
    osrm_url: str | None = Field(
        None,
        pattern=r"^https?://",
        description="An OSRM server whose ways may be asked for, such as http://localhost:5000; where it holds"
        " {profile}, that becomes foot, bike or car.",
    )
    valhalla_url: str | None = Field(
        None,
        pattern=r"^https?://",
        description="A Valhalla server whose ways may be asked for, such as http://localhost:8002.",
    )
    provider_deadline_seconds: float = Field(
        5.0, gt=0, description="How long OSRM or Valhalla may take for an answer, repeated questions included."
    )
    stale_after_minutes: float = Field(
        180.0, gt=0, description="A forecast whose newest measurement is older than this is called stale."
    )
    router_threads: int = Field(2, ge=1, le=256, description="How many requests are searched for at once.")
    router_queue: int = Field(64, ge=0, description="How many more requests may wait; those beyond are refused.")
