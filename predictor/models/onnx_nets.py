"""The nets as ONNX Runtime runs them: they say the same in about half the time. An extra; torch remains the definition.

The graph is made of the parameters of nets that have been loaded, so there is no second file that could differ from
the first.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import nn

from predictor.models.axes import HORIZON_HOURS, QUANTILES
from predictor.models.channels import FORECAST
from predictor.models.features import NEXT, PAST, SEQUENCE, STATE, STEPS, Features
from predictor.models.onnx_graph import Graph
from predictor.models.recurrent import HIGHEST_LOG_STEP, LEVELS, LOWEST_LOG_STEP, MIDDLE, Cell
from predictor.models.recurrent_ensemble import RecurrentEnsemble
from predictor.models.scale import CENTRE, HIGHEST_LOG, SHIFT, SPREAD, UNITS

Floats = NDArray[np.float32]

_FED: Final = {"sequence": (STEPS, SEQUENCE), "state": (STATE,), "past": (PAST,), "next": (HORIZON_HOURS, NEXT)}
_PLACES: Final = ("station", "network")
_SAID: Final = FORECAST * len(LEVELS)
_MIDDLES: Final = np.arange(MIDDLE, _SAID, len(LEVELS))
_OUTWARDS: Final = np.delete(np.arange(_SAID), _MIDDLES)
_TOLD: Final = FORECAST * len(QUANTILES)

_GATES: Final = {Cell.LSTM: (0, 3, 1, 2), Cell.GRU: (1, 0, 2)}
"""Where torch keeps what ONNX keeps first, second, …"""


class OnnxNets:
    """Nets with the parameters that they had when this was made."""

    def __init__(self, nets: RecurrentEnsemble) -> None:
        graph = Graph()
        for name, shape in _FED.items():
            graph.input(name, shape)
        for name in _PLACES:
            graph.input(name, (), whole_numbers=True)
        # What both nets read is laid out once.
        steps = graph.op("Reshape", graph.op("Transpose", "sequence", perm=(1, 0, 2)), _shape(-1, SEQUENCE))
        by_horizon = graph.op("Transpose", "next", perm=(1, 0, 2))
        in_rows = graph.op("Reshape", "next", _shape(-1, NEXT))
        told = []
        for cell in Cell:
            said = _Net(graph, cell, nets.nets[cell]).said(steps, by_horizon, in_rows)
            told.append(_told(graph, said, nets.weight.numpy()))
        self._session = graph.session(told)

    def told(self, inputs: Features) -> list[tuple[Floats, Floats]]:
        """What each net expects, as `RecurrentEnsemble.told`."""
        feed = {name: getattr(inputs, name).contiguous().numpy() for name in (*_FED, *_PLACES)}
        answers = []
        for said in self._session.run(feed):
            hours = said.reshape(-1, HORIZON_HOURS, said.shape[-1])
            quantiles = hours[..., :_TOLD].reshape(*hours.shape[:-1], FORECAST, len(QUANTILES))
            answers.append((hours[..., _TOLD:], quantiles))
        return answers


class _Net:
    """One net in a graph; the operations follow `RecurrentNet`, the rows of all horizons one below the other."""

    def __init__(self, graph: Graph, cell: Cell, net: nn.Module) -> None:
        self._graph = graph
        self._cell = cell
        tensors = [*net.named_parameters(), *net.named_buffers()]
        self._of: dict[str, Floats] = {name: tensor.detach().numpy() for name, tensor in tensors}

    def said(self, steps: str, by_horizon: str, in_rows: str) -> str:
        """Quantiles at LEVELS as logarithms in net units, (B · 72, 36)."""
        of, op = self._of, self._graph.op
        decoded = self._decoded(steps, in_rows)
        bias = of["output.bias"] + of["log_steps"].reshape(HORIZON_HOURS, _SAID)
        unit = np.repeat(of["linear_scale"], len(LEVELS), axis=-1)
        raw = self._hours(op("MatMul", decoded, of["output.weight"][_OUTWARDS].T), len(_OUTWARDS))
        bounds = np.float32(LOWEST_LOG_STEP), np.float32(HIGHEST_LOG_STEP)
        log_steps = op("Clip", op("Add", raw, bias[:, _OUTWARDS]), *(np.asarray(bound) for bound in bounds))
        outwards = op("Mul", op("Exp", log_steps), unit[:, _OUTWARDS])

        added = self._hours(op("Gemm", decoded, of["output.weight"][_MIDDLES].T, of["output.bias"][_MIDDLES]), FORECAST)
        past = self._hours(op("Gemm", "past", of["linear_past.weight"].T, of["linear_past.bias"]), FORECAST)
        coming = op("Transpose", op("MatMul", by_horizon, of["linear_next"]), perm=(1, 0, 2))
        middle = op("Add", op("Add", past, coming), op("Mul", added, of["linear_scale"]))

        # The scale of the logarithms is part of the sums.
        spread, centre = (np.repeat(each[:FORECAST], len(LEVELS)) for each in (SPREAD, CENTRE))
        sums = of["sums"] * spread
        from_middle = op("Gemm", _flat(self._graph, middle, FORECAST), sums[_MIDDLES], centre)
        return op("Gemm", _flat(self._graph, outwards, len(_OUTWARDS)), sums[_OUTWARDS], from_middle)

    def _decoded(self, steps: str, in_rows: str) -> str:
        of, op = self._of, self._graph.op
        about = [op("Gather", of[f"{name}.weight"], name) for name in _PLACES]
        read = op("Concat", self._remembered(steps), *about, "state", axis=1)
        context = op("Gemm", read, of["context.weight"].T, of["context.bias"])
        known = op("Add", op("Unsqueeze", context, _shape(1)), of["horizon"])
        width = of["horizon"].shape[-1]
        hidden = op("Gemm", in_rows, of["coming.weight"].T, _flat(self._graph, known, width))
        return self._silu(op("Gemm", self._silu(hidden), of["decoder.weight"].T, of["decoder.bias"]))

    def _remembered(self, steps: str) -> str:
        of, op = self._of, self._graph.op
        seen = op("Tanh", op("Gemm", steps, of["input.weight"].T, of["input.bias"]))
        weights = [self._gates(of[f"memory.weight_{which}_l0"]) for which in ("ih", "hh")]
        bias = np.concatenate([self._gates(of[f"memory.bias_{which}_l0"]) for which in ("ih", "hh")])
        in_time = op("Reshape", seen, _shape(STEPS, -1, of["input.bias"].shape[0]))
        after_reset = {"linear_before_reset": 1} if self._cell is Cell.GRU else {}
        # Of one direction only: the first axis.
        shaped = [each[None] for each in (*weights, bias)]
        hidden = weights[1].shape[-1]
        last = op(self._cell.upper(), in_time, *shaped, outputs=2, hidden_size=hidden, **after_reset)
        return op("Squeeze", last, _shape(0))

    def _gates(self, parameters: Floats) -> Floats:
        order = _GATES[self._cell]
        parts = np.split(parameters, len(order))
        return np.concatenate([parts[place] for place in order])

    def _silu(self, value: str) -> str:
        return self._graph.op("Mul", value, self._graph.op("Sigmoid", value))

    def _hours(self, value: str, width: int) -> str:
        return self._graph.op("Reshape", value, _shape(-1, HORIZON_HOURS, width))


def _told(graph: Graph, logarithm: str, weight: Floats) -> str:
    """QUANTILES of each pollutant, then the means, in network units, (B · 72, 12 + 4): see `scale.to_net_units`."""
    shift = np.repeat(SHIFT[:FORECAST], len(LEVELS))
    net = graph.op("Exp", graph.op("Min", logarithm, np.array([HIGHEST_LOG], dtype=np.float32)))
    chosen = np.eye(len(LEVELS), dtype=np.float32)[:, [LEVELS.index(level) for level in QUANTILES]]
    each = np.diag(1 / UNITS[:FORECAST])
    picked = np.concatenate([np.kron(each, chosen), np.kron(each, weight[:, None])], axis=1).astype(np.float32)
    return graph.op("MatMul", graph.op("Relu", graph.op("Sub", net, shift)), picked)


def _flat(graph: Graph, value: str, width: int) -> str:
    return graph.op("Reshape", value, _shape(-1, width))


def _shape(*lengths: int) -> NDArray[np.int64]:
    return np.array(lengths, dtype=np.int64)
