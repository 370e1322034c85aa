"""`python -m loadtest open|scenarios`: put load on the mesh that is up, or on one of its own."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from batchpix_client.errors import BatchpixError
from loadtest.callers import Caller, Ending
from loadtest.loads import loads_of
from loadtest.open_loop import Clock, arrivals, run
from loadtest.report import Report, report_of
from loadtest.target import Target, open_target

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
THREADS_OF_A_CALLER = 32
SEED = 1
HOME = Path("~/.local/state/batchpix")  # as of the command `batchpix`


def main() -> int:
    """Run what the command line asks for."""
    options = parser().parse_args()
    try:
        with open_target(options.home.expanduser(), options.callers, options.feature) as target:
            if options.mode == "scenarios":
                return run_scenarios(target, options)
            for feature in target.features:
                report = run_open_loop(target, feature, options)
                figures = json.dumps(report.document()) + "\n"
                sys.stdout.write(figures if options.json else report.text())
                sys.stdout.flush()
    except (BatchpixError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(prog="python -m loadtest", description=__doc__)
    top.add_argument("mode", choices=["open", "scenarios"])
    top.add_argument("--home", type=Path, default=HOME, help="of a mesh that is up")
    top.add_argument("--feature", action="append", help="what is called; default all that run")
    top.add_argument("--callers", type=int, default=8, help="connections, each with its token")
    top.add_argument("--seconds", type=float, default=30.0)
    top.add_argument("--rate", type=float, default=5.0, help="open: calls due in a second")
    top.add_argument("--side", type=int, default=512, help="open: pixels of a photo's side")
    top.add_argument("--json", action="store_true", help="open: figures as JSON")
    top.add_argument("--web", action="store_true", help="scenarios: steer from a web page")
    top.add_argument("--html", type=Path, default=Path("out/load.html"), help="scenarios: report")
    return top


def run_open_loop(target: Target, feature: str, options: argparse.Namespace) -> Report:
    """Make the most usual call of a feature at Poisson moments."""
    with ExitStack() as stack:
        callers = [stack.enter_context(Caller(target, number)) for number in range(options.callers)]
        load = loads_of(feature, callers[0].names((feature,)), options.side)[0]
        for caller in callers:
            # Connections are made before the clock runs.
            caller.call(load)

        def call(number: int) -> Ending:
            return callers[number % len(callers)].call(load)

        pool = stack.enter_context(ThreadPoolExecutor(THREADS_OF_A_CALLER * len(callers)))
        moments = arrivals(options.rate, options.seconds, SEED)
        started = time.monotonic()
        samples = run(moments, call, pool, Clock(now=time.monotonic, wait=time.sleep))
        return report_of(feature, samples, time.monotonic() - started)


def run_scenarios(target: Target, options: argparse.Namespace) -> int:
    """Run Locust as a process of its own, since it patches the standard library."""
    options.html.parent.mkdir(parents=True, exist_ok=True)
    headless = ["--headless", "--run-time", f"{options.seconds:g}s", "--html", str(options.html)]
    with tempfile.TemporaryDirectory() as folder:
        authority, tokens = Path(folder) / "ca.crt", Path(folder) / "tokens"
        authority.write_bytes(target.authority)
        tokens.write_text("\n".join(target.tokens), encoding="utf-8")
        command = [
            *(sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--host", target.address),
            *("--users", str(options.callers), "--spawn-rate", str(options.callers)),
            *("--ca", str(authority), "--token-file", str(tokens)),
            *(["--web-host", "127.0.0.1"] if options.web else headless),
            # Locust's user classes are named after the features.
            *(feature.capitalize() for feature in target.features),
        ]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
