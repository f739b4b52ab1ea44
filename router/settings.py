"""What the router can be told from outside."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from mesh.settings import MeshSettings


class RouterSettings(MeshSettings):
    """The settings of the router, beside those of every server."""

    router_port: int = Field(50053, ge=0, le=65535, description="The port of the router; 0 takes any.")
    predictor_target: str = Field("localhost:50052", min_length=1, description="The predictor, host:port.")
    graph_path: Path | None = Field(
        None,
        description="The street graph to serve, as `cleanair graph import` writes it, or a folder of such files,"
        " each of another region. The router needs one.",
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
    geocoder: str = Field(
        "none",
        min_length=1,
        description="Who is asked for names that the map does not know: nominatim, photon, or any other geocoder of"
        " geopy; none asks nobody.",
    )
    geocoder_url: str | None = Field(
        None, pattern=r"^https?://", description="The geocoder's address. Unset: that of the public service."
    )
    geocoder_key: SecretStr | None = Field(None, description="The geocoder's key, where it asks for one.")
    geocoder_user_agent: str = Field(
        "cleanair-route",
        min_length=1,
        description="Who we say we are; public Nominatim wants to know whom to write to.",
    )
    geocoder_pause_seconds: float = Field(
        1.0,
        ge=0,
        description="The least time between two questions of one process; public Nominatim allows one a second.",
    )
    geocoder_deadline_seconds: float = Field(
        3.0, gt=0, description="How long the geocoder may take, and how long a question may wait for its turn."
    )
    geocoder_ttl_hours: float = Field(24.0, gt=0, description="How long an answer of the geocoder is remembered.")
    stale_after_minutes: float = Field(
        180.0, gt=0, description="A forecast whose newest measurement is older than this is called stale."
    )
    router_threads: int = Field(2, ge=1, le=256, description="How many requests are searched for at once.")
    router_queue: int = Field(64, ge=0, description="How many more requests may wait; those beyond are refused.")
    router_hours_kept: int = Field(
        2,
        ge=0,
        le=72,
        description="For how many hours beside the current one what searches need is kept; others are made when asked"
        " for, in a quarter of a second for a large city. An hour takes about 0.6 kB for each crossing of streets.",
    )
