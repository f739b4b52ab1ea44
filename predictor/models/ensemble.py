"""The model that serves: an LSTM and a GRU that see the whole network, and the damped persistence beside them.

Where the nets have not seen a season, the damped persistence is the better; which is right when, and by how much, is
learnt from forecasts as they come true (`calibration`).
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.models.calibration import Calibration
from predictor.models.damped_persistence import DampedPersistence
from predictor.models.field import known_of
from predictor.models.members import MemberForecasts
from predictor.models.observed import Observed
from predictor.models.recurrent_ensemble import RecurrentEnsemble

if TYPE_CHECKING:
    from predictor.models.onnx_nets import OnnxNets


class Ensemble(nn.Module):
    """Two nets and the damped persistence. The prior of their weights is part of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.nets = RecurrentEnsemble()
        self.damped = DampedPersistence()
        self.prior = Calibration.neutral(len(self.members))
        self._quick: OnnxNets | None = None

    @property
    def name(self) -> str:
        """The family's name."""
        return "ensemble"

    @property
    def version(self) -> str:
        """The family's name and the version of its parameters' meaning."""
        return f"{self.name}-1"

    @property
    def pollutants(self) -> tuple[Pollutant, ...]:
        """All that is forecast."""
        return FORECAST_POLLUTANTS

    @property
    def members(self) -> tuple[str, ...]:
        """The nets by their cells, then the damped persistence."""
        return (*self.nets.nets, self.damped.name)

    @property
    def sees_weather(self) -> bool:
        """The nets do."""
        return True

    def knows(self, station_id: str) -> bool:
        """Whether the nets have a row for the station."""
        return station_id in self.nets.station_names

    def get_extra_state(self) -> Tensor:
        """The prior, to be saved with the parameters."""
        return torch.from_numpy(np.frombuffer(self.prior.to_bytes(), dtype=np.uint8).copy())

    def set_extra_state(self, state: object) -> None:
        """Takes the prior from a file. Raises TypeError for anything else."""
        if not isinstance(state, Tensor) or state.dtype is not torch.uint8:
            raise TypeError("the prior must be bytes")
        try:
            self.prior = Calibration.from_bytes(state.numpy().tobytes(), len(self.members))
        except ValueError as error:
            raise TypeError("the prior is none of ours") from error

    def defects(self) -> list[str]:
        """What makes these parameters unusable; empty when they are sound."""
        return [*self.nets.defects(), *self.damped.defects()]

    @torch.inference_mode()
    def forecast(self, observed: Observed) -> MemberForecasts:
        """See `Model.forecast`."""
        inputs = self.nets.features(known_of(self.nets, observed))
        means, quantiles = zip(*(self._quick or self.nets).told(inputs), strict=True)
        damped = self.damped.forecast(observed)
        return MemberForecasts(np.stack([*means, *damped.mean]), np.stack([*quantiles, *damped.quantiles]))

    def quicken(self) -> None:
        """Leaves what the nets say to ONNX Runtime, where it is installed; they must not change any more."""
        if all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime")):
            from predictor.models.onnx_nets import OnnxNets

            self._quick = OnnxNets(self.nets)
