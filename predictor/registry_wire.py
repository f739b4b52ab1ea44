"""Models and the registry, to protobuf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from cleanair.predictor.v1 import prediction_service_pb2 as wire

from mesh.wire import pollutant_to_wire, time_to_wire
from predictor.models.model_file import LoadedModel
from predictor.registry_entry import Alias, Named, RegisteredModel


def model_to_wire(loaded: LoadedModel, loaded_at: datetime | None) -> wire.Model:
    """A model, and since when it has served; None where it does not."""
    return wire.Model(
        name=loaded.model.name,
        version=loaded.version,
        sha256=loaded.sha256,
        loaded_at=None if loaded_at is None else time_to_wire(loaded_at),
        pollutants=[pollutant_to_wire(pollutant) for pollutant in loaded.model.pollutants],
        members=loaded.model.members,
    )


def registered_to_wire(
    registered: Sequence[RegisteredModel],
    aliases: Mapping[Alias, Named],
    loaded: Sequence[LoadedModel],
    loaded_at: Mapping[str, datetime],
) -> list[wire.RegisteredModel]:
    """The registry; of models whose file has not been read here only what it keeps.

    Args:
        registered: All models.
        aliases: Which of them is what.
        loaded: Those that have been read here.
        loaded_at: Since when those that serve do, by SHA-256.
    """
    here = {one.sha256: one for one in loaded}
    return [
        wire.RegisteredModel(
            model=(
                model_to_wire(here[one.sha256], loaded_at.get(one.sha256))
                if one.sha256 in here
                else wire.Model(name=one.family, version=one.version, sha256=one.sha256)
            ),
            file=one.file,
            registered_at=time_to_wire(one.registered_at),
            metrics=one.metrics,
            aliases=sorted(alias.value for alias, named in aliases.items() if named.sha256 == one.sha256),
        )
        for one in registered
    ]
