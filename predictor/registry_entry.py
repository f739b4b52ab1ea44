"""What the registry knows of models: which have passed their checks, and which of them is what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Alias(StrEnum):
    """What a model can be named as."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A model file that has passed its checks.

    Attributes:
        sha256: Of the file, in hexadecimal.
        version: What its forecasts carry.
        family: The name of its family, for instance `ensemble`.
        file: The name of its file.
        metrics: What it scored on the golden set, and what its file says, by name.
        registered_at: When it was first registered.
    """

    sha256: str
    version: str
    family: str
    file: str
    metrics: Mapping[str, float]
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Named:
    """The model that an alias stands for.

    Attributes:
        sha256: Of its file.
        since: Since when.
        pinned: Whether an operator named it; else it is what the settings say, and follows them.
    """

    sha256: str
    since: datetime
    pinned: bool
