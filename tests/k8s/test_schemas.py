"""Every object is one that the pinned version of Kubernetes, or cert-manager, would take."""

import json
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest

from tests.k8s.breach import Breach, broken
from tests.k8s.manifests import Cluster, Node, title
from tests.k8s.overlays import FOLDERS
from tests.k8s.policy.access import KUBERNETES_VERSION

# cert-manager's types are no part of Kubernetes; no package carries their schemas.
CERT_MANAGER = json.loads(Path(__file__).with_name("cert_manager.json").read_text())


def schema_error(item: Node) -> str | None:
    """Tell what is wrong with an object; unknown fields are."""
    try:
        if item["apiVersion"].startswith("cert-manager.io/"):
            jsonschema.validate(item, CERT_MANAGER)
        else:
            kubernetes_validate.validate(dict(item), KUBERNETES_VERSION, strict=True)
    except jsonschema.ValidationError as error:
        return f"{title(item)}: {error.json_path}: {error.message}"
    return None


@pytest.mark.parametrize("name", FOLDERS)
def test_objects_have_the_shape_of_the_pinned_version(
    clusters: Mapping[str, Cluster], name: str
) -> None:
    """No object of any overlay has an unknown field or a value of a wrong type."""
    errors = [error for item in clusters[name].objects if (error := schema_error(item))]

    assert errors == []


@pytest.mark.parametrize(
    ("target", "pointer", "value"),
    [
        ("Deployment/stylize", "/spec/template/spec/containers/0/image_pull_policy", "Always"),
        ("Deployment/gateway", "/spec/template/spec/terminationGracePeriodSeconds", "630"),
        ("NetworkPolicy/stylize", "/spec/policyTypes", "Ingress"),
        ("PodDisruptionBudget/stylize", "/spec/evictions", 1),
        ("Certificate/stylize", "/spec/rotationPolicy", "Always"),
        ("Certificate/stylize", "/spec/privateKey/algorithm", "ed25519"),
        ("Certificate/stylize", "/spec/duration", 48),
    ],
)
def test_misspelt_and_mistyped_fields_are_found(
    clusters: Mapping[str, Cluster], target: str, pointer: str, value: object
) -> None:
    """The check of shapes is one that can fail, in Kubernetes' types and in cert-manager's."""
    fault = Breach(target=target, change={pointer: value})
    objects = broken(clusters["production"].objects, fault)

    errors = [error for item in objects if (error := schema_error(item))]

    assert [target] == [error.partition(":")[0] for error in errors]
