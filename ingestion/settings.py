"""What the ingestion service can be told from outside."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, HttpUrl, PositiveInt, SecretStr
from pydantic_settings import NoDecode

from mesh.settings import MeshSettings


def _names(value: object) -> object:
    """Names with commas between them, as the environment has them."""
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


class IngestionSettings(MeshSettings):
    """The settings of the ingestion service, beside those of every server."""

    ingestion_port: int = Field(50051, ge=0, le=65535, description="The port of the ingestion service; 0 takes any.")
    feeds: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = Field(
        (),
        description="The feeds to collect, such as airkorea,kma,openaq. Unset: airkorea, and each other whose key or"
        " address is set.",
    )
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
    airkorea_daily_requests: int = Field(
        500,
        ge=1,
        description="How many requests a day data.go.kr allows the key for each service of AirKorea: 500 with a key for"
        " development. Counted where there is a key, and never exceeded.",
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
    openaq_url: HttpUrl = Field(
        HttpUrl("https://api.openaq.org"),
        description="The address of OpenAQ's API, or of a server that answers in the format of its version 3.",
    )
    openaq_key: SecretStr | None = Field(None, description="The key of OpenAQ's API. Unset: none is sent.")
    openaq_bbox: tuple[float, float, float, float] | tuple[()] = Field(
        (), description="The box to collect of OpenAQ, in degrees: [west, south, east, north]."
    )
    openaq_locations: tuple[PositiveInt, ...] = Field(
        (), max_length=100, description="The locations to collect of OpenAQ instead of a box, such as [2178, 8118]."
    )
    openaq_most_sensors: int = Field(
        200,
        ge=1,
        description="How many sensors of OpenAQ to collect at most. Each costs a request, of which a minute allows 60.",
    )
    openaq_timeout_seconds: float = Field(10.0, gt=0, description="How long one request to OpenAQ may take.")
    openaq_deadline_seconds: float = Field(
        300.0, gt=0, description="How long one collection from OpenAQ may take, with its pages, retries and waits."
    )
    openaq_attempts: int = Field(3, ge=1, le=10, description="How often one request to OpenAQ is tried.")
    openaq_retry_seconds: float = Field(
        1.0, ge=0, description="The longest wait before the first retry; it doubles with each, up to 30 times this."
    )
    kma_daily_requests: int = Field(
        10_000, ge=1, description="How many requests a day data.go.kr allows the key for the weather service."
    )
    catch_up_days: int = Field(
        30,
        ge=0,
        le=90,
        description="How many days back hours are asked for that were missed while nobody collected, or before"
        " collection began. 0: not at all.",
    )
    catch_up_share: float = Field(
        0.5, ge=0, le=1, description="How much of the requests left today may be spent on missed hours at a time."
    )
    weather_forecast_days: int = Field(
        30, ge=1, description="How many days after it was issued a weather forecast is kept."
    )
    stream_window_mebibytes: int = Field(
        64, ge=1, le=4096, description="How much of the newest changes is kept in memory for subscribers."
    )
    collect_on_schedule: bool = Field(
        True, description="Do what is due, when it is due. Off: only when workers or an operator ask."
    )


class WorkerSettings(MeshSettings):
    """The settings of a worker, and of the beat that tells workers when what is due."""

    ingestion_target: str = Field("127.0.0.1:50051", description="The ingestion service, host:port, that workers call.")
    worker_concurrency: int = Field(4, ge=1, le=64, description="How many tasks a worker does at a time.")
    worker_deadline_seconds: float = Field(
        540.0, gt=0, description="How long one call of a worker may take: less than there is between two collections."
    )
    worker_attempts: int = Field(
        8, ge=1, description="How often a task that fails is tried, within the time to the next collection."
    )
    worker_retry_seconds: float = Field(
        5.0, gt=0, description="The longest wait before a task is first tried again; it doubles with each, up to 2 min."
    )
