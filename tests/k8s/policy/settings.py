"""Whether the programs take the settings that manifests give them."""

from collections.abc import Iterator

from gateway.settings import SettingError, from_mapping
from services.chassis.settings import Settings, SettingsError
from tests.k8s.manifests import Cluster, Workload
from tests.k8s.policy.rule import Rule

MODELS_IN_IMAGE = "/opt/batchpix/models"
LISTENERS = {"calls": "listen", "health": "health_listen", "metrics": "metrics_listen"}


def service_settings(cluster: Cluster) -> Iterator[str]:
    """Find settings that a service refuses, or that say something else than its manifest."""
    for workload in cluster.services():
        variables = cluster.environment(workload.main)
        mesh = {name: value for name, value in variables.items() if name.startswith("BATCHPIX_")}
        try:
            settings = Settings.from_env(mesh)
        except SettingsError as error:
            yield f"{workload.title}: {error}"
            continue
        ports = {port["name"]: port["containerPort"] for port in workload.main.get("ports", ())}
        for port, field in LISTENERS.items():
            if getattr(settings, field) != f"0.0.0.0:{ports.get(port)}":
                yield f"{workload.title}: port {port} is not where the service listens"
        if settings.retention != "strict":
            yield f"{workload.title}: starts without the whole guard"
        if str(settings.models) != MODELS_IN_IMAGE:
            yield f"{workload.title}: looks for models where the image has none"
        if not _mounted(workload, str(settings.certificates)):
            yield f"{workload.title}: has no certificates where it looks for them"


def gateway_settings(cluster: Cluster) -> Iterator[str]:
    """Find settings that the gateway refuses, or routes that lead nowhere."""
    workload = cluster.gateway()
    try:
        settings = from_mapping(cluster.environment(workload.main))
    except SettingError as error:
        yield f"{workload.title}: {error}"
        return
    known = {
        f"{item['metadata']['name']}.{item['metadata']['namespace']}.svc.cluster.local": item
        for item in cluster.of("Service")
    }
    for feature, upstream in settings.upstreams.items():
        item = known.get(upstream.host)
        if item is None or upstream.port not in {port["port"] for port in item["spec"]["ports"]}:
            yield f"{workload.title}: no service stands where {feature} is looked for"
    if set(settings.upstreams) != {each.name for each in cluster.services()}:
        yield f"{workload.title}: its routes are not the features that run"
    folders = (settings.certificate_folder, settings.client_certificate_folder)
    for folder in (*folders, settings.watched_folder, settings.key_set_file.parent):
        if not _mounted(workload, str(folder)):
            yield f"{workload.title}: nothing is mounted at {folder}"


def programs(cluster: Cluster) -> Iterator[str]:
    """Find containers that start another program than the one they are named for."""
    for workload in cluster.workloads():
        wanted = f"services.{workload.name}" if workload.is_service else "gateway.run"
        if "command" in workload.main or workload.main.get("args") != [wanted]:
            yield f"{workload.title}: does not start {wanted}"


def _mounted(workload: Workload, path: str) -> bool:
    return any(mount["mountPath"] == path for mount in workload.main.get("volumeMounts", ()))


RULES = (
    Rule(id="K80", check=service_settings, reason="A wrong setting is found before a cluster is."),
    Rule(id="K81", check=gateway_settings, reason="Every route leads to a service that runs."),
    Rule(id="K82", check=programs, reason="A container runs the one program that it is for."),
)
