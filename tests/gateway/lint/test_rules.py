"""Each rule finds the fault of its bad fixture, where it stands, and none in its good one."""

from pathlib import Path

import pytest

from gateway.lint.linter import lint
from gateway.lint.rule import Rule
from gateway.lint.rules import RULES
from gateway.render import render_bootstrap
from tests.gateway.door import Credentials, settings_for
from tests.gateway.lint.mutate import FIXTURES

# Ends each line of a fixture where its rule has to find something.
MARK = "# found"


def fixture(rule: Rule, kind: str) -> str:
    """Read a fixture."""
    return (FIXTURES / f"{rule.id}_{kind}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_good_fixture_passes(rule: Rule) -> None:
    """What is done right is left alone."""
    assert lint(fixture(rule, "good"), "good.yaml", [rule]) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_bad_fixture_is_found(rule: Rule) -> None:
    """Every marked line is found, and no other."""
    text = fixture(rule, "bad")
    marked = {number for number, line in enumerate(text.split("\n"), 1) if line.endswith(MARK)}
    found = {finding.problem.position.line for finding in lint(text, "bad.yaml", [rule])}

    assert marked
    assert found == marked


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_fixtures_are_of_the_api(rule: Rule) -> None:
    """But for the one on form, fixtures use fields and types that exist."""
    form = [each for each in RULES if each.id == "E28"]
    kinds = ["good"] if rule.id == "E28" else ["good", "bad"]

    assert [lint(fixture(rule, kind), kind, form) for kind in kinds] == [[] for _ in kinds]


def test_every_fixture_has_a_rule() -> None:
    """No fixture is left over, and the rules are E01 to E30."""
    names = {file.name for file in FIXTURES.glob("*.yaml")}

    assert [rule.id for rule in RULES] == [f"E{number:02}" for number in range(1, 31)]
    assert names == {f"{rule.id}_{kind}.yaml" for rule in RULES for kind in ("good", "bad")}


@pytest.mark.parametrize(
    "features", [["stylize"], ["stylize", "video", "dance", "tryon"]], ids=["one", "all"]
)
def test_own_gateway_passes(credentials: Credentials, features: list[str]) -> None:
    """The project's own gateway meets every rule."""
    settings = settings_for(credentials, dict.fromkeys(features, 50051))

    assert lint(render_bootstrap(settings), "envoy.yaml", RULES) == []


@pytest.mark.parametrize(
    ("written", "instead", "rule"),
    [
        ("use_remote_address: true", "use_remote_address: false", "E06"),
        ("merge_slashes: true", "merge_slashes: false", "E10"),
        ("timeout: 0s", "retry_policy: {}", "E20"),
        ("forward_client_cert_details: SANITIZE", "forward_client_cert_details: 4", "E14"),
        ("%START_TIME(%Y-%m-%dT%H:%MZ)%", "%START_TIME(%Y-%m-%dT%H:%M:%SZ)%", "E23"),
        ("max_active_downstream_connections: 256", "max_active_downstream_connections: 512", "E30"),
        ("lb_policy: LEAST_REQUEST", "lb_policy: RANDOM", "E22"),
        ("disable_stateless_session_resumption: true", "session_timeout: 5s", "E13"),
    ],
)
def test_one_change_to_the_own_gateway_is_found(
    credentials: Credentials, written: str, instead: str, rule: str
) -> None:
    """The gateway passes because it is right, not because rules look away."""
    text = render_bootstrap(settings_for(credentials, {"stylize": 50051}))
    changed = text.replace(written, instead)

    assert changed != text
    assert rule in {finding.rule.id for finding in lint(changed, "envoy.yaml", RULES)}


def test_rule_documentation_is_current() -> None:
    """The table in the gateway's README lists every rule as it is."""
    readme = Path(__file__).parents[3] / "gateway" / "README.md"
    text = readme.read_text(encoding="utf-8")

    assert [
        rule.id for rule in RULES if f"| {rule.id} | {rule.severity} | {rule.title} |" not in text
    ] == []
