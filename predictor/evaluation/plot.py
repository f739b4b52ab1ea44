"""The scores as a picture, for those who have matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from air.pollutants import FORECAST_POLLUTANTS
from predictor.evaluation.report import Report

_INCHES: Final = (11, 7)
_DOTS_PER_INCH: Final = 110


def plot(report: Report, file: Path) -> None:
    """Writes a PNG: the RMSE of each forecaster by horizon, a panel a pollutant."""
    figure = Figure(figsize=_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    places = np.arange(len(report.horizons))
    for axes, pollutant in zip(np.ravel(figure.subplots(2, 2)), FORECAST_POLLUTANTS, strict=True):
        for forecaster in report.forecasters:
            rmse = [
                np.nan if score.rmse is None else score.rmse
                for score in report.evaluation.scores
                if score.forecaster == forecaster.name and score.pollutant is pollutant
            ]
            axes.plot(places, rmse, marker="o", label=forecaster.name)
        axes.set_xticks(places, [f"+{horizon} h" for horizon in report.horizons])
        axes.set_title(pollutant.value)
        axes.set_ylabel(f"RMSE, {report.units[pollutant]}")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    figure.axes[0].legend()
    figure.savefig(file, format="png")
