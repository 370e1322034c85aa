"""What a service's metrics page tells of it."""

import urllib.request
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

ENGINE: Final = "batchpix_engine"
SECONDS_MAX: Final = 1.0


def engine_of(address: str) -> str:
    """Tell what a service's networks run on; empty while its metrics page can't be read.

    Args:
        address: of the page, as a profile has it.
    """
    # Whatever proxy this machine uses, the page is on it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{address}/metrics", timeout=SECONDS_MAX) as page:
            text = page.read().decode()
        families = list(text_string_to_metric_families(text))
    except (OSError, ValueError):
        return ""
    engines = [
        sample.labels["engine"]
        for family in families
        if family.name == ENGINE
        for sample in family.samples
    ]
    return ", ".join(engines)
