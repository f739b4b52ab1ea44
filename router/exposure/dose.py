"""What is inhaled of a pollutant."""

from __future__ import annotations

from typing import NamedTuple

from air.pollutants import Pollutant


class Dose(NamedTuple):
    """What is inhaled of one pollutant; intervals hold the truth with a probability of 80 %.

    A tuple, because a dozen are made in each request, in a fifth of the time.

    Attributes:
        pollutant: Which.
        dose_ug: Concentration times ventilation times time, summed along the way, µg.
        lower_ug: Its interval's lower end.
        upper_ug: Its interval's upper end.
        mean_concentration_ug_m3: The mean over the time on the way.
        mean_lower_ug_m3: Its interval's lower end.
        mean_upper_ug_m3: Its interval's upper end.
    """

    pollutant: Pollutant
    dose_ug: float
    lower_ug: float
    upper_ug: float
    mean_concentration_ug_m3: float
    mean_lower_ug_m3: float
    mean_upper_ug_m3: float
