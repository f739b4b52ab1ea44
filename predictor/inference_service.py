"""GRPCInferenceService, the Open Inference Protocol: its messages to tensors by name, and answers back."""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import numpy as np
from inference import grpc_inference_service_pb2 as wire
from inference import grpc_inference_service_pb2_grpc

from mesh.access import operator_methods
from mesh.interceptors.around import Context
from predictor.inference import Answer, Inference
from predictor.models.observed import Observed
from predictor.registry import UnknownModel
from predictor.registry_entry import Alias
from predictor.succession import Succession
from predictor.tensors import (
    INPUTS,
    MEAN,
    MEMBERS,
    OUTPUTS,
    BadTensor,
    Content,
    Floats,
    Given,
    Kind,
    asked_for,
    question,
)

_SERVICE: Final = wire.DESCRIPTOR.services_by_name["GRPCInferenceService"]
FULL_NAME: Final = _SERVICE.full_name
OPERATOR_METHODS: Final = operator_methods(_SERVICE)

_NAME: Final = "cleanair-predictor"
_VERSION: Final = importlib.metadata.version("cleanair-route")
_EXTENSIONS: Final = ("model_repository",)
_PLATFORM: Final = "pytorch"
_READY, _UNAVAILABLE = "READY", "UNAVAILABLE"


class InferenceService(grpc_inference_service_pb2_grpc.GRPCInferenceServiceServicer):
    """Lets tensors in and out of the models.

    Args:
        succession: Knows the models.
        inference: Asks them.
        ready: Whether the server serves.
    """

    def __init__(self, succession: Succession, inference: Inference, ready: Callable[[], Awaitable[bool]]) -> None:
        self._succession = succession
        self._inference = inference
        self._ready = ready

    async def ServerLive(self, request: wire.ServerLiveRequest, context: Context) -> wire.ServerLiveResponse:
        """It lives, since it answers."""
        return wire.ServerLiveResponse(live=True)

    async def ServerReady(self, request: wire.ServerReadyRequest, context: Context) -> wire.ServerReadyResponse:
        """As grpc.health.v1 says."""
        return wire.ServerReadyResponse(ready=await self._ready())

    async def ModelReady(self, request: wire.ModelReadyRequest, context: Context) -> wire.ModelReadyResponse:
        """Whether there is such a model."""
        try:
            self._succession.called(request.name, request.version)
        except UnknownModel:
            return wire.ModelReadyResponse(ready=False)
        return wire.ModelReadyResponse(ready=True)

    async def ServerMetadata(
        self, request: wire.ServerMetadataRequest, context: Context
    ) -> wire.ServerMetadataResponse:
        """The product and its version."""
        return wire.ServerMetadataResponse(name=_NAME, version=_VERSION, extensions=_EXTENSIONS)

    async def ModelMetadata(self, request: wire.ModelMetadataRequest, context: Context) -> wire.ModelMetadataResponse:
        """The tensors of a model: all take and give the same."""
        loaded = self._succession.called(request.name, request.version)
        return wire.ModelMetadataResponse(
            name=request.name,
            versions=[loaded.version],
            platform=_PLATFORM,
            inputs=[_metadata(kind) for kind in INPUTS],
            outputs=[_metadata(kind) for kind in OUTPUTS],
        )

    async def ModelInfer(self, request: wire.ModelInferRequest, context: Context) -> wire.ModelInferResponse:
        """What the model says of what it is given."""
        loaded = self._succession.called(request.model_name, request.model_version)
        outputs = asked_for([output.name for output in request.outputs])
        # Tensors of a country take a while to read and write.
        observed = await asyncio.to_thread(_observed, request)
        answer = await self._inference.ask(loaded, observed)
        return await asyncio.to_thread(_response, request, loaded.version, outputs, answer)

    async def RepositoryIndex(
        self, request: wire.RepositoryIndexRequest, context: Context
    ) -> wire.RepositoryIndexResponse:
        """The registry: those can be asked whose file has been read here."""
        registry = self._succession.registry
        aliases = await registry.aliases()
        here = {loaded.sha256 for loaded in registry.loaded}
        response = wire.RepositoryIndexResponse()
        for one in await registry.models():
            ready = one.sha256 in here
            if request.ready and not ready:
                continue
            names = [alias.value for alias in Alias if alias in aliases and aliases[alias].sha256 == one.sha256]
            response.models.add(
                name=one.version,
                version=one.version,
                state=_READY if ready else _UNAVAILABLE,
                reason=", ".join(names) if ready else f"{one.file} has not been read here, or is unloaded",
            )
        return response

    async def RepositoryModelLoad(
        self, request: wire.RepositoryModelLoadRequest, context: Context
    ) -> wire.RepositoryModelLoadResponse:
        """Reads, checks and registers a file."""
        await self._succession.registry.load(request.model_name)
        return wire.RepositoryModelLoadResponse()

    async def RepositoryModelUnload(
        self, request: wire.RepositoryModelUnloadRequest, context: Context
    ) -> wire.RepositoryModelUnloadResponse:
        """Forgets a model that does not serve."""
        await self._succession.registry.unload(request.model_name)
        return wire.RepositoryModelUnloadResponse()


def _metadata(kind: Kind) -> wire.ModelMetadataResponse.TensorMetadata:
    return wire.ModelMetadataResponse.TensorMetadata(name=kind.name, datatype=kind.datatype, shape=kind.shape)


def _observed(request: wire.ModelInferRequest) -> Observed:
    return question(_given(request))


def _response(
    request: wire.ModelInferRequest, version: str, outputs: Sequence[Kind], answer: Answer
) -> wire.ModelInferResponse:
    response = wire.ModelInferResponse(model_name=request.model_name, model_version=version, id=request.id)
    for kind in outputs:
        values = np.ascontiguousarray(_output(kind, answer), dtype="<f4")
        output = response.outputs.add(name=kind.name, datatype=kind.datatype, shape=values.shape)
        # As it was asked: whoever writes values reads values, and programs read bytes.
        if request.raw_input_contents:
            response.raw_output_contents.append(values.tobytes())
        else:
            output.contents.fp32_contents.extend(values.ravel().tolist())
    return response


def _output(kind: Kind, answer: Answer) -> Floats:
    if kind is MEMBERS:
        return np.concatenate([answer.members.mean[..., None], answer.members.quantiles], axis=-1)
    return answer.told.mean if kind is MEAN else answer.told.quantiles


def _given(request: wire.ModelInferRequest) -> list[Given]:
    """The tensors of a request. Raises BadTensor where contents and tensors do not go together."""
    raw = request.raw_input_contents
    if raw and len(raw) != len(request.inputs):
        message = f"there are {len(request.inputs)} inputs, and {len(raw)} raw contents: one each, or none at all"
        raise BadTensor(message, field="raw_input_contents")
    given = []
    for place, tensor in enumerate(request.inputs):
        if raw and tensor.HasField("contents"):
            message = f"{tensor.name} has contents, and raw ones: only one of them may be"
            raise BadTensor(message, field=f"inputs[{place}].contents")
        content = raw[place] if raw else _typed(tensor.datatype, tensor.contents)
        given.append(Given(tensor.name, tensor.datatype, tuple(tensor.shape), content))
    return given


def _typed(datatype: str, contents: wire.InferTensorContents) -> Content:
    """The field of a data type; of one that no tensor here has, nothing: the type is refused then."""
    if datatype == "FP32":
        return np.array(contents.fp32_contents, dtype=np.float32)
    if datatype == "FP64":
        return np.array(contents.fp64_contents, dtype=np.float64)
    if datatype == "INT64":
        return np.array(contents.int64_contents, dtype=np.int64)
    return tuple(contents.bytes_contents)
