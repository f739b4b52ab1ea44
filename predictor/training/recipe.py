"""How a net is trained."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """The figures of a training. The rate of learning rises and falls once (Smith and Topin 2018, arXiv:1708.07120).

    Attributes:
        steps: How many steps there are at most.
        rows: How many rows a step looks at.
        start_rows: How many rows the linear start is worked out from.
        rate: The highest rate of learning.
        linear_share: What the linear part learns by, of that rate: it is near its best from the start.
        rising_share: The share of the steps in which the rate rises.
        decay: Of weights (AdamW), the linear part's left out.
        dropout: The share of hidden values that is left out.
        averaging: How long averaged weights remember, by step.
        largest_gradient: A longer one is cut.
        check_every: Steps from one check on the tuning hours to the next.
        check_rows: Of each recording.
        patience: Checks without a better one after which training stops.
        save_every: Steps from one checkpoint to the next.
    """

    steps: int = 1200
    rows: int = 256
    start_rows: int = 30_000
    rate: float = 3e-3
    linear_share: float = 0.1
    rising_share: float = 0.12
    decay: float = 0.03
    dropout: float = 0.2
    averaging: float = 0.997
    largest_gradient: float = 1.0
    check_every: int = 100
    check_rows: int = 2000
    patience: int = 6
    save_every: int = 50
