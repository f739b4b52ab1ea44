"""Asks a server by the Open Inference Protocol as a stranger would: with Triton's client, which knows nothing of ours.

`triton_client.py ADDRESS FOLDER KEY DESCRIPTORS` reads what to ask from FOLDER/asked.npz and writes
FOLDER/answered.npz; and it holds the contract in DESCRIPTORS against its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import tritonclient.grpc as triton
from google.protobuf import descriptor_pb2
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException

KINDS = {"FP32": np.dtype("f4"), "FP64": np.dtype("f8"), "INT64": np.dtype("i8"), "BYTES": np.dtype(object)}


def ask(client: triton.InferenceServerClient, folder: Path, key: str) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("champion")
    assert not client.is_model_ready("oracle")
    assert client.get_server_metadata().name == "cleanair-predictor"
    metadata = client.get_model_metadata("champion")
    (version,) = metadata.versions

    datatypes = {one.name: one.datatype for one in metadata.inputs}
    inputs = []
    with np.load(folder / "asked.npz") as asked:
        for name, array in asked.items():
            inputs.append(triton.InferInput(name, list(array.shape), datatypes[name]))
            inputs[-1].set_data_from_numpy(array.astype(KINDS[datatypes[name]]))
    outputs = [triton.InferRequestedOutput(name) for name in ("quantiles", "mean")]
    answer = client.infer("champion", inputs, model_version=version, outputs=outputs, request_id="stranger")
    assert (answer.get_response().id, answer.get_response().model_version) == ("stranger", version)
    np.savez(folder / "answered.npz", mean=answer.as_numpy("mean"), quantiles=answer.as_numpy("quantiles"))

    ready = {one.name for one in client.get_model_repository_index().models if one.state == "READY"}
    assert version in ready
    operator = {"x-api-key": key}
    client.load_model("damped-persistence-1", headers=operator)
    refused = {
        "INVALID_ARGUMENT": lambda: client.infer("champion", inputs[:1]),
        "NOT_FOUND": lambda: client.infer("oracle", inputs),
        "UNAUTHENTICATED": lambda: client.load_model("damped-persistence-1"),
        "FAILED_PRECONDITION": lambda: client.unload_model(version, headers=operator),
    }
    for code, call in refused.items():
        assert code in refusal_of(call), code


def refusal_of(call: Callable[[], object]) -> str:
    try:
        call()
    except InferenceServerException as error:
        return f"{error.status()}"
    return "none"


def compare(ours: descriptor_pb2.FileDescriptorProto) -> None:
    """All that ours has, the standard has, under the same numbers."""
    standard = descriptor_pb2.FileDescriptorProto()
    service_pb2.DESCRIPTOR.CopyToProto(standard)
    assert ours.package == standard.package
    assert wire_of(ours.message_type) <= wire_of(standard.message_type)
    (service,), (known,) = ours.service, standard.service
    assert service.name == known.name
    methods = {(one.name, one.input_type, one.output_type) for one in known.method}
    assert {(one.name, one.input_type, one.output_type) for one in service.method} <= methods


def wire_of(messages: Iterable[descriptor_pb2.DescriptorProto], within: str = "") -> set[tuple[object, ...]]:
    found: set[tuple[object, ...]] = set()
    for message in messages:
        name = f"{within}.{message.name}"
        found |= {(name, one.name, one.number, one.type, one.label, one.type_name) for one in message.field}
        found |= wire_of(message.nested_type, name)
    return found


if __name__ == "__main__":
    address, folder_, key_, descriptors = sys.argv[1:]
    contracts = descriptor_pb2.FileDescriptorSet.FromString(Path(descriptors).read_bytes())
    compare(next(file for file in contracts.file if file.package == "inference"))
    with triton.InferenceServerClient(address) as client_:
        ask(client_, Path(folder_), key_)
