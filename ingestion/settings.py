"""What the ingestion service can be told from outside."""

from __future__ import annotations

from pydantic import Field, HttpUrl, SecretStr

from mesh.settings import MeshSettings


class IngestionSettings(MeshSettings):
    """The settings of the ingestion service, beside those of every server."""

    ingestion_port: int = Field(50051, ge=0, le=65535, description="The port of the ingestion service; 0 takes any.")
    airkorea_url: HttpUrl = Field(
        HttpUrl("http://apis.data.go.kr/B552584"),
        description="The base address of AirKorea's services, or of a server that answers in their format.",
    )
    airkorea_key: SecretStr | None = Field(
        None, description="The service key of data.go.kr, in either of its two spellings. Unset: none is sent."
    )
    airkorea_sido: str = Field(
        "서울", min_length=1, description="The province or city to collect, as AirKorea names it; 전국 for all."
    )
    airkorea_version: str = Field(
        "1.0",
        pattern=r"^\d\.\d$",
        description="The version of AirKorea's hourly answer. 1.0 is the form that long recordings hold to; 1.5 is read"
        " as well, and has one more decimal in the gases.",
    )
    airkorea_timeout_seconds: float = Field(10.0, gt=0, description="How long one request to AirKorea may take.")
    airkorea_deadline_seconds: float = Field(
        45.0, gt=0, description="How long one question to AirKorea may take in all, with its pages and retries."
    )
    airkorea_attempts: int = Field(4, ge=1, le=10, description="How often one question to AirKorea is tried.")
    airkorea_retry_seconds: float = Field(
        1.0, ge=0, description="The longest wait before the first retry; it doubles with each, up to 30 times this."
    )
    collect_on_schedule: bool = Field(
        True, description="Collect at the start and twice each hour. Off: only when an operator asks."
    )
