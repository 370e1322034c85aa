"""The command: exit statuses, formats, choice of rules, and files that are no configuration."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.lint.__main__ import main
from tests.gateway.lint.fuzz import fuzz
from tests.gateway.lint.mutate import FIXTURES

GOOD = str(FIXTURES / "E05_good.yaml")
BAD = str(FIXTURES / "E05_bad.yaml")


def test_nothing_found_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that passes ends with status 0."""
    assert main(["--select", "E05", GOOD]) == 0
    assert capsys.readouterr().out == "nothing found\n"


def test_something_found_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    """A finding names place, severity, rule, cause and remedy, and ends with status 1."""
    assert main(["--select", "E05", GOOD, BAD]) == 1

    lines = capsys.readouterr().out.splitlines()

    assert lines[0].startswith(f"{BAD}:2:3: error: E05 ")
    assert lines[1].startswith("    why: ")
    assert lines[2].startswith("    mend: ")


def test_unreadable_file_is_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A file that is missing, or a folder, ends with status 2 and a sentence."""
    assert main([str(tmp_path / "missing.yaml"), str(tmp_path)]) == 2

    errors = capsys.readouterr().err.splitlines()

    assert len(errors) == 2
    assert errors[0].endswith("can't be read: No such file or directory")


def test_unreadable_file_does_not_hide_others(capsys: pytest.CaptureFixture[str]) -> None:
    """What the other files have is still reported."""
    assert main(["--select", "E05", "/no/such/file", BAD]) == 2
    assert "E05" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--select", "X1", GOOD], ["--ignore", "E99", GOOD]])
def test_wrong_use_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No file, or a rule that does not exist, is a mistake of the caller."""
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("envoy-config-lint: ")


def test_ignored_rule_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """--ignore takes rules away from those selected, by the start of their id."""
    assert main(["--select", "E01,E05", "--ignore", "E05", BAD]) == 1
    assert "error: E05" not in capsys.readouterr().out


def test_json_is_a_list_of_findings(capsys: pytest.CaptureFixture[str]) -> None:
    """Each object has file, line, column, rule, severity and texts."""
    main(["--format", "json", "--select", "E05", BAD])
    findings = json.loads(capsys.readouterr().out)

    assert {finding["rule"] for finding in findings} == {"E05"}
    assert (findings[0]["file"], findings[0]["line"], findings[0]["column"]) == (BAD, 2, 3)


def test_sarif_names_rules_and_places(capsys: pytest.CaptureFixture[str]) -> None:
    """Code hosts find version, rules with help, and for each result its region."""
    main(["--format", "sarif", "--select", "E05", BAD])
    log = json.loads(capsys.readouterr().out)
    run = log["runs"][0]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]

    assert log["version"] == "2.1.0"
    assert run["tool"]["driver"]["rules"][0]["id"] == "E05"
    assert region == {"startLine": 2, "startColumn": 3}


def test_standard_input_is_read() -> None:
    """A dash stands for standard input, so a rendered configuration needs no file."""
    command = [sys.executable, "-m", "gateway.lint", "--select", "E05", "-"]
    text = Path(BAD).read_bytes()
    done = subprocess.run(command, input=text, capture_output=True, check=False)

    assert done.returncode == 1
    assert done.stdout.startswith(b"-:2:3: error: E05 ")


def test_json_configuration_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A bootstrap in JSON, indented with tabs, is linted with its own lines."""
    file = tmp_path / "envoy.json"
    file.write_text('{\n\t"admin": {\n\t\t"address": {"pipe": {"path": "/a"}}\n\t}\n}\n')

    assert main(["--select", "E05", str(file)]) == 1
    assert f"{file}:2:11: error: E05" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a: [", "not YAML"),
        (b"a: b: c", "not YAML"),
        (b"a: *nothing", "not YAML"),
        (b"a: &x [*x]", "nested deeper"),
        (b"[" * 5_000, "nested too deeply"),
        (b"a: \x00", "a character that YAML does not allow"),
        (b"? [1]\n: 2", "a key that is no text"),
        (b"#" * 4_000_001, "the file has more than"),
        (
            b"a: &a [x,x,x,x,x,x,x,x,x]\n"
            + b"".join(
                b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9))
                for n in range(9)
            ),
            "with aliases followed",
        ),
    ],
    ids=["empty", "binary", "open", "colons", "alias", "loop", "deep", "nul", "key", "big", "bomb"],
)
def test_what_is_no_yaml_is_said(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that can't be read gets one line that says why."""
    file = tmp_path / "file.yaml"
    file.write_bytes(content)

    assert main([str(file)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", [b"5", b"[]", b"{}", b"a", b"{admin: 5}", b"{static_resources: {listeners: 7}}"]
)
def test_what_is_no_bootstrap_is_found(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """YAML that is no bootstrap is linted like any other."""
    file = tmp_path / "file.yaml"
    file.write_bytes(content)

    assert main([str(file)]) == 1
    assert "E01" in capsys.readouterr().out


def test_no_import_follows_a_type_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A type name in a file never makes the linter import what is not Envoy's."""
    file = tmp_path / "file.yaml"
    types = ["antigravity.Antigravity", "this.This", "envoy._main.Main", "os.path.Join"]
    monitors = [f'{{name: a, typed_config: {{"@type": x/{name}}}}}' for name in types]
    file.write_text(f"overload_manager: {{resource_monitors: [{', '.join(monitors)}]}}")
    main(["--select", "E28", str(file)])

    assert capsys.readouterr().out.count("there is no type") == len(types)
    assert {"antigravity", "this", "envoy._main"} & set(sys.modules) == set()


def test_damaged_files_never_break_it() -> None:
    """Thousands of damaged files end with findings or a sentence; a sample of the long run."""
    endings = fuzz(300, seed=3)

    assert endings.total() == 300
    assert endings["found"] > 50
    assert endings["unreadable"] > 50
