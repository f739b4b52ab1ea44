"""What every server can be told from outside, by environment variables that start with `CLEANAIR_`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from mesh.clock import Clock, clock_from


class MeshSettings(BaseSettings):
    """Settings that all servers share. A service adds its own in a subclass."""

    model_config = SettingsConfigDict(env_prefix="CLEANAIR_", env_ignore_empty=True, frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="The address that servers listen on; 0.0.0.0 in a container.")
    data_dir: Path = Field(Path(".cleanair"), description="The folder for embedded databases, graphs and caches.")
    database_url: SecretStr | None = Field(
        None,
        description="SQLAlchemy URL such as postgresql+asyncpg://user:password@host/name. Unset: one SQLite file a"
        " service in the data folder.",
    )
    database_pool_size: int = Field(20, ge=1, description="Connections kept open a process (PostgreSQL).")
    database_max_overflow: int = Field(30, ge=0, description="Connections opened beyond those under load.")
    redis_url: SecretStr | None = Field(
        None, description="Redis URL such as redis://host:6379/0. Unset: a cache in each process."
    )
    operator_api_key: SecretStr | None = Field(
        None, min_length=16, description="The key that operator calls must bring as x-api-key. Unset: they are closed."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="The least level logged.")
    metrics_port: int = Field(0, ge=0, le=65535, description="The port of Prometheus metrics over HTTP; 0 is none.")
    lame_duck_seconds: float = Field(
        2.5, ge=0, description="How long a stopping server still takes calls, so that balancers see it leave."
    )
    stop_grace_seconds: float = Field(5.0, ge=0, description="How long calls in flight may take to end at a stop.")
    default_deadline_seconds: float = Field(
        10.0, gt=0, description="The deadline of a unary call whose caller set none, as server and as client."
    )
    operator_deadline_seconds: float = Field(
        120.0, gt=0, description="Likewise of an operator call: these collect and load, which takes longer."
    )
    heartbeat_seconds: float = Field(10.0, gt=0, description="The longest silence on a stream between elements.")
    reconnect_seconds: float = Field(
        5.0, gt=0, description="The longest pause before a neighbour that went away is called again."
    )
    max_message_bytes: int = Field(4 * 2**20, gt=0, description="The largest message a server takes or sends.")
    now: AwareDatetime | None = Field(
        None, description="Pretend that the process started at this time (RFC 3339), to replay recorded days."
    )

    def clock(self) -> Clock:
        """The clock that `now` asks for."""
        return clock_from(self.now)
