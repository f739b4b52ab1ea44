"""`cleanair db upgrade`."""

from __future__ import annotations

import asyncio
from typing import Final

from rich.console import Console

from cli.failure import CommandFailed
from cli.settings import CommandSettings
from mesh.database import database_url
from mesh.database import upgrade as upgrade_tables

SERVICES: Final = ("ingestion", "predictor", "router")


def upgrade(settings: CommandSettings, service: str | None) -> None:
    """Upgrades one service's tables, or all."""
    if service is not None and service not in SERVICES:
        raise CommandFailed(f"There is no service {service}: choose one of {', '.join(SERVICES)}.")
    console = Console()
    for name in [service] if service else SERVICES:
        asyncio.run(upgrade_tables(settings, name))
        url = database_url(settings, name).render_as_string(hide_password=True)
        console.print(f"{name}: tables are current in {url}", highlight=False, soft_wrap=True)
