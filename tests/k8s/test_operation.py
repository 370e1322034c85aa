"""Dashboard, alerts, scraping and scaling ask for metrics that exist, and for nothing else."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, TypeAlias

import pytest
import yaml

from services.chassis.telemetry import Outcome, Stage, Telemetry
from tests.k8s.manifests import ROOT, Cluster
from tests.k8s.metrics_page import ask
from tests.k8s.promql import Selector, alternatives, selectors

OPERATION = ROOT / "k8s" / "operation"
RUNBOOK = ROOT / "docs" / "operations.md"
# What scraping adds to every series, and what Prometheus says of a replica by itself.
ADDED_LABELS = {"app", "pod", "namespace", "job"}
BUILT_IN = {"up"}

# A file as it was read: what is in it is what the tests are about.
Document: TypeAlias = Any


def read(name: str) -> Document:
    """Read a file of the operation folder; JSON is YAML too."""
    return yaml.safe_load((OPERATION / name).read_text(encoding="utf-8"))


def alert_rules() -> list[dict[str, Any]]:
    """List all alerts."""
    return [rule for group in read("alerts.yaml")["groups"] for rule in group["rules"]]


def queries() -> Iterator[tuple[str, str]]:
    """Yield every query with where it stands."""
    for rule in alert_rules():
        yield rule["alert"], rule["expr"]
    for panel in read("dashboard.json")["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def service_series() -> dict[str, set[str]]:
    """Tell every series of a service with its labels, from telemetry that has seen a call."""
    telemetry = Telemetry("stylize")
    telemetry.call_ended("OK", 1.0)
    telemetry.call_ended("unheard of", 1.0)
    telemetry.stage(Stage.RENDER, 1.0)
    telemetry.first_result(1.0)
    telemetry.wiped(1)
    families = list(telemetry.registry.collect())
    series = {sample.name: set(sample.labels) for each in families for sample in each.samples}
    # Published hourly, so not to be seen at once.
    assert "batchpix_device_calls" in {each.name for each in families}
    return {**series, "batchpix_device_calls_total": {"device"}}


def gateway_series(page: int) -> dict[str, set[str]]:
    """Tell every series that a running gateway shows, with its labels."""
    series: dict[str, set[str]] = {}
    for line in ask(page, "/stats/prometheus")[1].splitlines():
        found = re.match(r"(\w+)(?:\{(.*)\})? ", line)
        if found:
            labels = set(re.findall(r'(\w+)="', found[2] or ""))
            series[found[1]] = series.get(found[1], set()) | labels
    return series


@pytest.fixture(scope="module")
def series(page: int) -> Mapping[str, set[str]]:
    """All series of services and of the gateway."""
    return {**service_series(), **gateway_series(page), **{name: set() for name in BUILT_IN}}


@pytest.mark.parametrize(("where", "query"), list(queries()))
def test_queries_read_series_that_exist(
    series: Mapping[str, set[str]], where: str, query: str
) -> None:
    """Every metric and label that a panel or an alert names is one that a replica really has."""
    wanted = selectors(query)

    assert wanted, where
    assert [each for each in wanted if each.metric not in series] == []
    assert [each for each in wanted if set(each.labels) - ADDED_LABELS - series[each.metric]] == []


@pytest.mark.parametrize(("where", "query"), list(queries()))
def test_queries_name_outcomes_that_exist(where: str, query: str) -> None:
    """No alert waits for an outcome that no call can have."""
    named = {
        outcome
        for each in selectors(query)
        for outcome in alternatives(each.labels.get("outcome", Outcome.OK.value))
    }

    assert named <= set(Outcome), where


def test_a_query_that_reads_nothing_is_told_from_one_that_reads() -> None:
    """The reader of queries finds series within functions, ranges and comparisons."""
    found = selectors('max by (a) (rate(x_total{outcome=~"OK"}[$__rate_interval])) - time() > y')

    assert [
        Selector(metric="x_total", labels={"outcome": "OK"}),
        Selector(metric="y", labels={}),
    ] == found


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    """Each alert has a name of its own, a severity, a summary and a chapter of the runbook."""
    headings = re.findall(r"^#+ (.+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", text.lower()).replace(" ", "-") for text in headings}
    rules = alert_rules()

    assert len(rules) == len({rule["alert"] for rule in rules})
    for rule in rules:
        file, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (file, anchor in anchors) == ("docs/operations.md", True), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]


def test_every_alert_has_a_case_that_it_fires_on() -> None:
    """The cases beside the alerts, for Prometheus' own tool, leave none out."""
    cases = [case for test in read("alerts.test.yaml")["tests"] for case in test["alert_rule_test"]]
    fired = {case["alertname"] for case in cases if case.get("exp_alerts")}

    assert {rule["alert"] for rule in alert_rules()} == fired


def test_panels_stand_beside_each_other() -> None:
    """Panels have numbers of their own and do not overlap."""
    panels = read("dashboard.json")["panels"]
    places = [panel["gridPos"] for panel in panels]

    assert len(panels) == len({panel["id"] for panel in panels})
    assert [pair for pair in combinations(places, 2) if _overlap(*pair)] == []


def test_the_dashboard_is_plain_json() -> None:
    """Grafana reads JSON only, and every panel says what it shows."""
    panels = json.loads((OPERATION / "dashboard.json").read_text(encoding="utf-8"))["panels"]

    assert [
        panel["title"] for panel in panels if panel["type"] != "row" and not panel["description"]
    ] == []


def test_prometheus_finds_every_replica(clusters: Mapping[str, Cluster]) -> None:
    """Scraping looks for the port name and labels that pods have, gateway and services alike."""
    (job,) = read("scrape.yaml")
    kept = next(rule["regex"] for rule in job["relabel_configs"] if rule.get("action") == "keep")

    for workload in clusters["production"].workloads():
        ports = [port["name"] for each in workload.containers for port in each.get("ports", ())]
        assert ports.count(kept) == 1, workload.title
        assert "app.kubernetes.io/name" in workload.labels


def test_autoscalers_are_told_the_metrics_that_they_ask_for(
    clusters: Mapping[str, Cluster], series: Mapping[str, set[str]]
) -> None:
    """The adapter offers exactly what autoscalers use, from series that exist."""
    offered = {rule["name"]["as"] for rule in read("adapter.yaml")["rules"]}
    asked = {
        metric["pods"]["metric"]["name"]
        for item in clusters["production"].of("HorizontalPodAutoscaler")
        for metric in item["spec"]["metrics"]
    }

    assert asked == offered
    assert offered <= set(series)


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not (beside or below)
