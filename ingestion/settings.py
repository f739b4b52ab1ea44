"""What the ingestion service can be told from outside."""

from __future__ import annotations

from typing import Annotated

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
    kma_url: HttpUrl = Field(
        HttpUrl("http://apis.data.go.kr/1360000"),
        description="The base address of the weather service (KMA), or of a server that answers in its format.",
    )
    kma_key: SecretStr | None = Field(
        None, description="The service key of data.go.kr for the weather service. Unset: none is sent."
    )
    kma_cells: tuple[tuple[Annotated[int, Field(ge=1, le=149)], Annotated[int, Field(ge=1, le=253)]], ...] = Field(
        (),
        description="The cells of the weather service's grid to collect, such as [[60, 127], [61, 127]]. Unset: those"
        " that stations stand in.",
    )
    kma_most_cells: int = Field(
        60,
        ge=1,
        description="How many cells to collect at most, those with most stations first. Each costs some 60 requests of"
        " the day's quota, and as many more as fail.",
    )
    kma_requests_at_once: int = Field(4, ge=1, le=32, description="How many cells are asked for at a time.")
    kma_timeout_seconds: float = Field(10.0, gt=0, description="How long one request to the weather service may take.")
    kma_deadline_seconds: float = Field(
        30.0, gt=0, description="How long one question to the weather service may take in all, with its retries."
    )
    kma_attempts: int = Field(3, ge=1, le=10, description="How often one question to the weather service is tried.")
    kma_retry_seconds: float = Field(
        1.0, ge=0, description="The longest wait before the first retry; it doubles with each, up to 30 times this."
    )
    readings_kept_months: int = Field(
        240,
        ge=1,
        description="How many months of readings are kept before the present one: whole months are dropped together.",
    )
    readings_months_ahead: int = Field(
        2, ge=1, le=24, description="For how many months to come there is a partition beforehand (PostgreSQL)."
    )
    weather_forecast_days: int = Field(
        30, ge=1, description="How many days after it was issued a weather forecast is kept."
    )
    stream_window_mebibytes: int = Field(
        64, ge=1, le=4096, description="How much of the newest changes is kept in memory for subscribers."
    )
    collect_on_schedule: bool = Field(
        True, description="Collect at the start and twice each hour. Off: only when an operator asks."
    )

    @property
    def collects_weather(self) -> bool:
        """True when there is a key for the weather service, or a server named in its place."""
        return self.kma_key is not None or "kma_url" in self.model_fields_set
