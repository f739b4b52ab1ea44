"""Manifests, compose file and Dockerfile say what the servers really read, listen on and register."""

from __future__ import annotations

import asyncio
import importlib
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from gateway.settings import GatewaySettings
from mesh.health import Health, HealthBoard, HealthState
from mesh.probe import probe
from mesh.server import LIVENESS, GrpcServer, serving
from mesh.settings import MeshSettings
from tests.deploy import manifests
from tests.deploy.manifests import BASE, PREFIX, SETTINGS, TASKS

SERVERS = sorted(SETTINGS)
GRPC_SERVERS = [server for server in SERVERS if server != "gateway"]
DEPLOYED = {"Deployment": [*SERVERS, *TASKS], "Job": [f"migrate-{server}" for server in GRPC_SERVERS]}
PODS = [(kind, name) for kind, names in DEPLOYED.items() for name in names]
SECRETS = {"CLEANAIR_OPERATOR_API_KEY": "0123456789abcdef", "CLEANAIR_DATABASE_URL": "postgresql+asyncpg://u:p@h/d"}


@pytest.mark.parametrize("file", sorted(BASE.glob("[!k]*.yaml")), ids=lambda file: file.name)
def test_kubernetes_takes_every_manifest(file: Path) -> None:
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_the_kustomization_names_every_file_and_every_image() -> None:
    kustomization = manifests.kustomization()
    assert sorted(kustomization.resources) == sorted(file.name for file in BASE.glob("[!k]*.yaml"))
    used = {manifests.container(kind, name)[1].image for kind, name in PODS}
    assert used == {image.name for image in kustomization.images} == {f"cleanair-{server}" for server in SERVERS}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_renders_it_and_kubernetes_takes_the_outcome() -> None:
    rendered = subprocess.run(["kubectl", "kustomize", BASE], check=True, capture_output=True, text=True).stdout
    documents = list(yaml.safe_load_all(rendered))
    for document in documents:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    assert len(documents) == len(manifests.resources()) + 1


@pytest.mark.parametrize(("kind", "name"), PODS)
def test_every_variable_is_one_that_the_server_reads_and_takes(kind: str, name: str) -> None:
    _, container = manifests.container(kind, name)
    shared = manifests.shared_environment() if container.env_from else {}
    assert set(shared) <= {PREFIX + field.upper() for field in MeshSettings.model_fields}
    own = {variable: value or SECRETS.get(variable, "secret") for variable, value in manifests.variables(container)}
    manifests.settings_of({**shared, **own}, name.removeprefix("migrate-"))


@pytest.mark.parametrize(("kind", "name"), PODS)
def test_secrets_come_from_the_secret_alone(kind: str, name: str) -> None:
    _, container = manifests.container(kind, name)
    secret = {"operator_api_key", "database_url", "redis_url", "airkorea_key"}
    for variable in container.env:
        if variable.name.removeprefix(PREFIX).lower() in secret:
            assert variable.value is None
            assert variable.value_from is not None
            reference = variable.value_from.secret_key_ref
            assert (reference.name, reference.key) == ("cleanair", variable.name)
    assert not {PREFIX + field.upper() for field in secret} & set(manifests.shared_environment())


@pytest.mark.parametrize(("kind", "name"), PODS)
def test_every_pod_has_the_least_rights(kind: str, name: str) -> None:
    pod, container = manifests.container(kind, name)
    assert pod.security_context.run_as_non_root
    assert pod.security_context.run_as_user == 10001
    assert container.security_context.read_only_root_filesystem
    assert not container.security_context.allow_privilege_escalation
    assert container.security_context.capabilities.drop == ("ALL",)
    assert {"cpu", "memory"} <= set(container.resources.requests)
    assert "memory" in container.resources.limits
    assert {mount.name for mount in container.volume_mounts} == {volume.name for volume in pod.volumes}


@pytest.mark.parametrize("server", SERVERS)
def test_ports_agree_with_the_settings(server: str) -> None:
    _, container = manifests.container("Deployment", server)
    ports = {port.name: port.container_port for port in container.ports}
    name = "http" if server == "gateway" else "grpc"
    assert ports == {
        name: manifests.own_port(server),
        "metrics": int(manifests.shared_environment()[PREFIX + "METRICS_PORT"]),
    }
    service = next(r for r in manifests.resources() if (r.kind, r.metadata.name) == ("Service", server))
    assert [(port.name, port.port, port.target_port) for port in service.spec.ports] == [(name, ports[name], name)]
    assert (service.spec.cluster_ip == "None") is (server != "gateway")


def targets(environment: dict[str, str]) -> dict[str, str]:
    """Which server an environment says to be where."""
    suffix = "_TARGET"
    return {
        name.removeprefix(PREFIX).removesuffix(suffix).lower(): value
        for name, value in environment.items()
        if name.endswith(suffix)
    }


@pytest.mark.parametrize("server", SERVERS)
def test_every_server_is_told_where_its_neighbours_are(server: str) -> None:
    asked = {name.removesuffix("_target") for name in SETTINGS[server].model_fields if name.endswith("_target")}
    expected = {neighbour: f"{neighbour}:{manifests.own_port(neighbour)}" for neighbour in asked}
    _, container = manifests.container("Deployment", server)
    assert targets({variable.name: variable.value or "" for variable in container.env}) == expected
    assert targets(manifests.compose().services[server].environment) == expected


@pytest.mark.parametrize("name", TASKS)
def test_what_works_on_tasks_runs_from_ingestions_image_and_shows_by_its_metrics_that_it_lives(name: str) -> None:
    _, container = manifests.container("Deployment", name)
    assert (container.image, container.args) == ("cleanair-ingestion", ("serve", name))
    assert [(port.name, port.container_port) for port in container.ports] == [
        ("metrics", int(manifests.shared_environment()[PREFIX + "METRICS_PORT"]))
    ]
    for one in (container.startup_probe, container.liveness_probe):
        assert one is not None
        assert one.http_get is not None
        assert (one.http_get.path, one.http_get.port) == ("/metrics", "metrics")
    assert "cleanair-route[ingestion,worker]" in manifests.dockerfile_targets()["build-ingestion"]
    service = manifests.compose().services[name]
    told = {variable: manifests.interpolated(value) for variable, value in service.environment.items()}
    manifests.settings_of(told, name)
    assert (service.command, service.read_only, service.cap_drop) == (["serve", name], True, ("ALL",))
    assert service.healthcheck is not None
    assert f":{told['CLEANAIR_METRICS_PORT']}/metrics" in str(service.healthcheck["test"])


def test_one_alone_keeps_time() -> None:
    """Neither two beats, nor the servers beside the beat; and the servers share a lock and each other's news."""
    assert (
        next(r for r in manifests.resources() if (r.kind, r.metadata.name) == ("Deployment", "beat")).spec.replicas == 1
    )
    _, container = manifests.container("Deployment", "ingestion")
    assert dict(manifests.variables(container))["CLEANAIR_COLLECT_ON_SCHEDULE"] == "false"
    compose = manifests.compose().services
    assert compose["ingestion"].environment["CLEANAIR_COLLECT_ON_SCHEDULE"] == "false"
    for name in ("ingestion", *TASKS):
        assert "CLEANAIR_REDIS_URL" in dict(manifests.variables(manifests.container("Deployment", name)[1]))
        assert compose[name].environment["CLEANAIR_REDIS_URL"] == "redis://redis:6379/0"


def test_replicas_share_what_they_keep_ready() -> None:
    compose = manifests.compose().services
    for name in ("predictor", "router"):
        assert "CLEANAIR_REDIS_URL" in dict(manifests.variables(manifests.container("Deployment", name)[1]))
        assert compose[name].environment["CLEANAIR_REDIS_URL"] == "redis://redis:6379/0"


def test_redis_makes_room_among_what_has_a_time_to_live_alone() -> None:
    """The workers' queue and the replicas' news have none, and must not be lost to cached routes."""
    command = manifests.compose().services["redis"].command
    assert command[command.index("--maxmemory-policy") + 1].startswith("volatile-")


@pytest.mark.parametrize("server", GRPC_SERVERS)
def test_probes_ask_for_names_that_the_server_registers(server: str) -> None:
    _, container = manifests.container("Deployment", server)
    full_name = importlib.import_module(f"{server}.service").FULL_NAME
    asked = []
    for one in (container.startup_probe, container.liveness_probe, container.readiness_probe):
        assert one is not None
        assert one.grpc is not None
        assert one.grpc.port == manifests.own_port(server)
        asked.append(one.grpc.service)
    assert asked == [LIVENESS, LIVENESS, full_name]


async def test_a_server_that_cannot_serve_is_not_ready_but_lives() -> None:
    async def away() -> Health:
        return Health(HealthState.DOWN, "away")

    board = HealthBoard("router")
    board.check("database", away, critical=True)
    server = GrpcServer(MeshSettings(lame_duck_seconds=0, stop_grace_seconds=0), port=0, board=board)
    async with serving(server) as port:
        target = f"127.0.0.1:{port}"
        assert await asyncio.to_thread(probe, target, LIVENESS) is None
        assert await asyncio.to_thread(probe, target) == f"{target} says NOT_SERVING"
        said = await asyncio.to_thread(probe, target, "cleanair.nobody.v1.NoService")
        assert said == f"{target} does not answer: NOT_FOUND"


def test_the_gateways_probes_ask_for_a_path_that_it_answers() -> None:
    _, container = manifests.container("Deployment", "gateway")
    assert container.readiness_probe is not None
    assert container.readiness_probe.http_get is not None
    assert (container.readiness_probe.http_get.path, container.readiness_probe.http_get.port) == ("/healthz", "http")


@pytest.mark.parametrize("server", SERVERS)
def test_a_pod_has_time_to_leave(server: str) -> None:
    pod, _ = manifests.container("Deployment", server)
    told = manifests.settings_of(manifests.shared_environment(), server)
    assert isinstance(told, MeshSettings)
    # The gateway waits for calls in flight, then gives Envoy the same time again.
    longest = told.lame_duck_seconds + told.stop_grace_seconds * (2 if isinstance(told, GatewaySettings) else 1)
    assert pod.termination_grace_period_seconds > longest


@pytest.mark.parametrize("server", GRPC_SERVERS)
def test_tables_are_migrated_by_a_job(server: str) -> None:
    _, container = manifests.container("Job", f"migrate-{server}")
    assert container.args == ("db", "upgrade", server)
    assert container.image == f"cleanair-{server}"


@pytest.mark.parametrize("server", SERVERS)
def test_compose_tells_each_server_what_it_reads(server: str) -> None:
    service = manifests.compose().services[server]
    told = {name: manifests.interpolated(value) for name, value in service.environment.items()}
    manifests.settings_of(told, server)
    assert service.read_only
    assert service.cap_drop == ("ALL",)
    assert service.build is not None
    assert service.build.target == server
    assert service.healthcheck is not None
    assert str(manifests.own_port(server)) in str(service.healthcheck["test"])


def test_compose_opens_the_gateway_alone() -> None:
    opened = {name: service.ports for name, service in manifests.compose().services.items() if service.ports}
    port = manifests.own_port("gateway")
    assert opened == {"gateway": (f"{port}:{port}",)}


def test_compose_tells_its_one_shots_what_a_server_reads() -> None:
    services = manifests.compose().services
    for name, server in (("migrate", "ingestion"), ("city", "router")):
        told = {variable: manifests.interpolated(value) for variable, value in services[name].environment.items()}
        manifests.settings_of(told, server)
    assert services["migrate"].command == ["db", "upgrade"]
    assert services["city"].command[-1] == services["router"].environment["CLEANAIR_GRAPH_PATH"]


@pytest.mark.parametrize("server", SERVERS)
def test_an_image_runs_its_server_as_nobody_in_particular(server: str) -> None:
    stages = manifests.dockerfile_targets()
    assert f"EXPOSE {manifests.own_port(server)}\n" in stages[server]
    assert f'CMD ["serve", "{server}"]' in stages[server]
    assert f"COPY --from=build-{server} " in stages[server]
    assert "USER 10001:10001" in stages["run"]
    assert f"cleanair-route[{server}" in stages[f"build-{server}"]
    assert stages[f"build-{server}"].strip().startswith("ARG PIP_INDEX_URL"), "pip is not told where to look"
    _, container = manifests.container("Deployment", server)
    assert list(container.args) == ["serve", server]
