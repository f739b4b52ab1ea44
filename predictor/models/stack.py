"""How much each member of a model counts, and how far they all are off, learnt from their errors.

Stacked regression (Wolpert 1992; Breiman 1996): the weights, not below 0 and 1 in sum, are those that would have made
the mean square error smallest. Errors fade with a half-life, as in exponentially weighted aggregation under drift, and
are joined by those that the model's file expects, so that a few days of luck do not decide, and a long silence leads
back to the file. What is wrong with all members alike is taken off as a bias.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.models.leads import LEADS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HALF_LIFE_HOURS: Final = 20 * 24.0
"""After it an error counts half: long against a day of odd air, short against a season."""

PRIOR_HOURS: Final = 480.0
"""How many hours of errors the file's expectation stands for."""

WILDEST: Final = 16.0
_WILDEST_BIAS: Final = 3.0
"""Errors beyond so many times the usual one count as that: dust storms and broken instruments come in the thousands.

Weights must see storms, where members differ most; a bias that storms drive would be wrong on all other days.
"""

_RIDGE: Final = 1e-6
_LEAST_HOURS: Final = 1e-9
_USUAL_ERROR: Final = {Pollutant.PM25: 12.0, Pollutant.PM10: 20.0, Pollutant.O3: 0.013, Pollutant.NO2: 0.010}


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Sums over past errors, forecast minus measured, of M members, by lead (LEADS) and pollutant.

    Attributes:
        expected: Mean products of members' errors that the file expects, (leads, pollutants, M, M).
        hours: How many hours have been summed, by now, (leads, pollutants).
        errors: Their mean errors, summed, (leads, pollutants, M).
        products: Likewise the products of two members' errors, (leads, pollutants, M, M).
    """

    expected: Floats
    hours: Floats
    errors: Floats
    products: Floats

    @classmethod
    def expecting(cls, expected: Floats) -> Self:
        """Nothing has been seen yet."""
        return cls(expected, np.zeros(expected.shape[:2]), np.zeros(expected.shape[:3]), np.zeros(expected.shape))

    @classmethod
    def neutral(cls, members: int) -> Self:
        """All members are expected to err alike, and independently."""
        usual = np.array([_USUAL_ERROR[pollutant] for pollutant in FORECAST_POLLUTANTS]) ** 2
        return cls.expecting(np.ones((len(LEADS), 1, 1, 1)) * usual[:, None, None] * np.eye(members))

    @property
    def weights(self) -> Floats:
        """What each member counts, (leads, pollutants, M): 0 or more, 1 in sum."""
        squares, expected = (np.diagonal(each, axis1=-2, axis2=-1) for each in (self.products, self.expected))
        # What the file expects says who errs more; how large errors are is for those seen to say, the best member's.
        seen = (squares / np.maximum(self.hours, _LEAST_HOURS)[..., None] / expected).min(axis=-1)
        size = np.where(seen > 0, seen, 1.0)
        return least_error_weights(self.products + PRIOR_HOURS * size[..., None, None] * self.expected)

    def bias(self, weights: Floats) -> Floats:
        """How far too high forecasts with these weights are, (leads, pollutants)."""
        own: Floats = (weights * self.errors).sum(axis=-1) / (self.hours + PRIOR_HOURS)
        return own

    def faded(self, hours: int) -> Self:
        """So many hours later."""
        left = 0.5 ** (hours / HALF_LIFE_HOURS)
        return replace(self, hours=left * self.hours, errors=left * self.errors, products=left * self.products)

    def with_errors(self, places: Ints, errors: Floats, weight: float) -> Self:
        """With one hour's errors.

        Args:
            places: Which of LEADS they are of.
            errors: (M, stations, places, pollutants), NaN where there is none.
            weight: How far the hour counts, 1 for a new one.
        """
        known = np.isfinite(errors).all(axis=0)
        share = weight / max(1, errors.shape[1])
        usual = self._usual_error()[places]
        wild = np.clip(np.where(known, errors, 0.0), -WILDEST * usual, WILDEST * usual)
        tame = np.clip(wild, -_WILDEST_BIAS * usual, _WILDEST_BIAS * usual)
        at_place = wild.transpose(2, 3, 0, 1)
        hours, sums, products = self.hours.copy(), self.errors.copy(), self.products.copy()
        hours[places] += share * known.sum(axis=0)
        sums[places] += share * tame.sum(axis=1).transpose(1, 2, 0)
        products[places] += share * (at_place @ at_place.swapaxes(-1, -2))
        return replace(self, hours=hours, errors=sums, products=products)

    def _usual_error(self) -> Floats:
        """The root mean square error of the best member, (leads, pollutants)."""
        squares = np.diagonal(self.products + PRIOR_HOURS * self.expected, axis1=-2, axis2=-1).min(axis=-1)
        usual: Floats = np.sqrt(squares / (self.hours + PRIOR_HOURS))
        return usual


def least_error_weights(products: Floats) -> Floats:
    """The weights w, 0 or more and 1 in sum, with the smallest w'Pw for each P of (..., M, M): (..., M).

    Exact: for every set of members the smallest error lies at P⁻¹1 / 1'P⁻¹1 and is 1 / 1'P⁻¹1 (Bates and Granger
    1969); the best set whose weights are all at 0 or above is the solution.
    """
    members = products.shape[-1]
    sets = np.array([chosen for chosen in product((False, True), repeat=members) if any(chosen)])[::-1]
    mean_square = np.trace(products, axis1=-2, axis2=-1)[..., None, None] / members
    sized = products / np.maximum(mean_square, np.finfo(np.float64).tiny) + _RIDGE * np.eye(members)
    inside = sets[:, :, None] & sets[:, None, :]
    solved = np.linalg.solve(np.where(inside, sized[..., None, :, :], np.eye(members)), sets[..., None] * 1.0)[..., 0]
    precision = solved.sum(axis=-1, where=sets)
    usable = np.where(sets, solved >= 0, True).all(axis=-1)
    best = np.where(usable, precision, -np.inf).argmax(axis=-1)[..., None]
    raw: Floats = np.take_along_axis(np.where(sets, solved, 0.0), best[..., None], axis=-2)[..., 0, :]
    weights: Floats = raw / raw.sum(axis=-1, keepdims=True)
    return weights
