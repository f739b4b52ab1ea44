"""ONNX Runtime says what the nets say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from predictor.models.ensemble import Ensemble
from predictor.models.model_file import SHIPPED, load
from predictor.models.observed import Observed
from tests.predictor.recurrent import STATIONS, air, observed, weather

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def plain() -> Ensemble:
    torch.set_num_threads(1)
    model = load(SHIPPED).model
    assert isinstance(model, Ensemble)
    return model


@pytest.fixture(scope="module")
def quick() -> Ensemble:
    model = load(SHIPPED).model
    assert isinstance(model, Ensemble)
    model.quicken()
    return model


@pytest.mark.parametrize(
    "known",
    [
        observed(air(), weather=weather()),
        observed(air()),
        observed(air(gaps=False), weather=weather()),
        observed(torch.full_like(air(), torch.nan)),
        observed(air(30)[:1], STATIONS[:1]),
        observed(air() * 1000),
    ],
    ids=["all", "no weather", "no gaps", "nothing", "one station", "bad air"],
)
def test_the_same_is_said(plain: Ensemble, quick: Ensemble, known: Observed) -> None:
    expected, said = plain.forecast(known), quick.forecast(known)
    scale = np.abs(expected.mean) + 1e-3
    np.testing.assert_array_less(np.abs(said.mean - expected.mean) / scale, 1e-4)
    np.testing.assert_array_less(np.abs(said.quantiles - expected.quantiles) / scale[..., None], 1e-4)


def test_the_same_is_said_twice(quick: Ensemble) -> None:
    first, second = quick.forecast(observed(air())), quick.forecast(observed(air()))
    assert np.array_equal(first.mean, second.mean)
    assert np.array_equal(first.quantiles, second.quantiles)


def test_a_net_that_was_never_trained_is_no_exception() -> None:
    torch.manual_seed(5)
    model = Ensemble().eval()
    expected = model.forecast(observed(air(), weather=weather()))
    model.quicken()
    said = model.forecast(observed(air(), weather=weather()))
    np.testing.assert_allclose(said.mean, expected.mean, rtol=1e-4, atol=1e-6)
