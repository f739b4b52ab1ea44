"""A graph for ONNX Runtime, put together operation by operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

Array = NDArray[np.float32] | NDArray[np.int64]

_OPSET: Final = 17
_FORMAT: Final = 9
_ROWS: Final = "rows"


class Graph:
    """Values are known by their names; constants are given as arrays, and all inputs have as many rows."""

    def __init__(self) -> None:
        self._inputs: list[ValueInfoProto] = []
        self._constants: list[TensorProto] = []
        self._nodes: list[NodeProto] = []

    def input(self, name: str, shape: Sequence[int], *, whole_numbers: bool = False) -> str:
        """What is fed under this name: float32, or int64; `shape` is that of a row."""
        kind = TensorProto.INT64 if whole_numbers else TensorProto.FLOAT
        self._inputs.append(helper.make_tensor_value_info(name, kind, [_ROWS, *shape]))
        return name

    def op(self, operation: str, *operands: str | Array, outputs: int = 1, **attributes: int | Sequence[int]) -> str:
        """Applies an operation of ONNX; the name of its last output."""
        names = [self._name(operand) for operand in operands]
        made = [f"{operation} {len(self._nodes)} {place}" for place in range(outputs)]
        node = helper.make_node(operation, names, made)
        node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
        self._nodes.append(node)
        return made[-1]

    def session(self, outputs: Sequence[str]) -> Session:
        """The graph ready to run on one thread."""
        told = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self._nodes, "nets", self._inputs, told, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_FORMAT)
        return Session(model.SerializeToString())

    def _name(self, operand: str | Array) -> str:
        if isinstance(operand, str):
            return operand
        name = f"constant {len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(operand, order="C"), name))
        return name


class Session:
    """A graph that runs on the thread that asks."""

    def __init__(self, content: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(self, inputs: Mapping[str, Array]) -> list[NDArray[np.float32]]:
        """The outputs, in their order."""
        return [np.asarray(output, dtype=np.float32) for output in self._session.run(None, dict(inputs))]
