"""The manifests and the compose file, read into types: as much of them as the tests judge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from gateway.settings import GatewaySettings
from ingestion.settings import IngestionSettings, WorkerSettings
from mesh.settings import MeshSettings
from predictor.settings import PredictorSettings
from router.settings import RouterSettings

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "k8s" / "base"
PREFIX = "CLEANAIR_"

SETTINGS: dict[str, type[MeshSettings]] = {
    "ingestion": IngestionSettings,
    "predictor": PredictorSettings,
    "router": RouterSettings,
    "gateway": GatewaySettings,
}

TASKS: dict[str, type[MeshSettings]] = {"worker": WorkerSettings, "beat": WorkerSettings}
"""What runs from the image of ingestion, and takes no calls."""


class Part(BaseModel):
    """A mapping of a manifest; keys that no test judges are passed over."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class Named(Part):
    name: str


class SecretKey(Part):
    name: str
    key: str


class ValueFrom(Part):
    secret_key_ref: SecretKey


class Variable(Part):
    name: str
    value: str | None = None
    value_from: ValueFrom | None = None


class GrpcAction(Part):
    port: int
    service: str


class PortAction(Part):
    path: str | None = None
    port: str


class Probe(Part):
    grpc: GrpcAction | None = None
    http_get: PortAction | None = None
    tcp_socket: PortAction | None = None


class Port(Part):
    name: str
    container_port: int


class Capabilities(Part):
    drop: tuple[str, ...]


class ContainerSecurity(Part):
    allow_privilege_escalation: bool
    read_only_root_filesystem: bool
    capabilities: Capabilities


class EnvironmentSource(Part):
    config_map_ref: Named


class Mount(Part):
    name: str
    mount_path: str


class Resources(Part):
    requests: dict[str, str | int]
    limits: dict[str, str | int]


class Container(Part):
    name: str
    image: str
    args: tuple[str, ...]
    ports: tuple[Port, ...] = ()
    env_from: tuple[EnvironmentSource, ...] = ()
    env: tuple[Variable, ...] = ()
    startup_probe: Probe | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    resources: Resources
    security_context: ContainerSecurity
    volume_mounts: tuple[Mount, ...] = ()


class PodSecurity(Part):
    run_as_non_root: bool
    run_as_user: int


class Pod(Part):
    containers: tuple[Container, ...]
    security_context: PodSecurity
    termination_grace_period_seconds: int = 30
    volumes: tuple[Named, ...] = ()


class Template(Part):
    spec: Pod


class ServicePort(Part):
    name: str
    port: int
    target_port: str


class Spec(Part):
    """Of a Deployment, a Job or a Service."""

    replicas: int = 1
    template: Template | None = None
    cluster_ip: str | None = Field(None, alias="clusterIP")
    ports: tuple[ServicePort, ...] = ()


class Resource(Part):
    kind: str
    metadata: Named
    spec: Spec = Spec()


class ConfigMap(Part):
    name: str
    literals: tuple[str, ...]


class Kustomization(Part):
    resources: tuple[str, ...]
    images: tuple[Named, ...]
    config_map_generator: tuple[ConfigMap, ...]


class Build(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    target: str


class ComposeService(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    environment: dict[str, str] = {}
    ports: tuple[str, ...] = ()
    read_only: bool = False
    cap_drop: tuple[str, ...] = ()
    healthcheck: dict[str, str | int | list[str]] | None = None
    command: list[str] = []
    build: Build | None = None


class Compose(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    services: dict[str, ComposeService]


@cache
def kustomization() -> Kustomization:
    return Kustomization.model_validate(yaml.safe_load((BASE / "kustomization.yaml").read_text(encoding="utf-8")))


@cache
def resources() -> tuple[Resource, ...]:
    """What the kustomization brings, file by file."""
    return tuple(
        Resource.model_validate(document)
        for name in kustomization().resources
        for document in yaml.safe_load_all((BASE / name).read_text(encoding="utf-8"))
    )


def container(kind: str, name: str) -> tuple[Pod, Container]:
    """The pod and its one container, of a Deployment or a Job."""
    resource = next(r for r in resources() if (r.kind, r.metadata.name) == (kind, name))
    assert resource.spec.template is not None
    pod = resource.spec.template.spec
    (only,) = pod.containers
    return pod, only


def shared_environment() -> dict[str, str]:
    """What all containers are told alike."""
    (config,) = kustomization().config_map_generator
    return dict(literal.split("=", 1) for literal in config.literals)


@cache
def compose() -> Compose:
    return Compose.model_validate(yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8")))


_INTERPOLATION = re.compile(r"\$\{\w+(?::-([^}]*))?[^}]*\}")


def interpolated(value: str) -> str:
    """A value of the compose file as it is with nothing set in the environment."""
    return _INTERPOLATION.sub(lambda match: match[1] or "", value)


def dockerfile_targets() -> dict[str, str]:
    """The text of each stage of the Dockerfile, by name."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    stages = re.split(r"^FROM \S+ AS (\S+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(stages[::2], stages[1::2], strict=True))


def own_port(server: str) -> int:
    """The port that the server's settings give it."""
    port = SETTINGS[server].model_fields[f"{server}_port"].default
    assert isinstance(port, int)
    return port


def settings_of(environment: dict[str, str], server: str) -> MeshSettings:
    """The settings that a server would make of an environment; fails on a variable that it does not read."""
    kind = {**SETTINGS, **TASKS}[server]
    values = {name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if value}
    unread = set(values) - set(kind.model_fields)
    assert not unread, f"{server} reads no {unread}"
    return kind.model_validate(values)


def variables(only: Container) -> Iterator[tuple[str, str | None]]:
    """A container's variables with their values; a secret's is None."""
    yield from ((variable.name, variable.value) for variable in only.env)
