"""Turn the gateway's template and settings into the configuration that Envoy reads."""

import re
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import yaml

from gateway.replies import local_replies
from gateway.settings import SERVICES, GatewaySettings, from_environment

TEMPLATE = Path(__file__).with_name("envoy.yaml")

# A mapping with this key stands for its value once per feature: items of a list, entries of a map.
REPEAT = "$for_each_feature"

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def main() -> None:
    """Print the bootstrap, or with a watched file's name as argument that file."""
    settings = from_environment()
    names = sys.argv[1:]
    texts = [render_watched(settings)[name] for name in names] or [render_bootstrap(settings)]
    sys.stdout.write("".join(texts))


def render_bootstrap(settings: GatewaySettings) -> str:
    """Fill in Envoy's bootstrap, as YAML text.

    Raises:
        KeyError: the template asks for a value that settings don't have.
    """
    return _dump(_fill(_documents()[0], _values(settings), settings))


def render_watched(settings: GatewaySettings) -> dict[str, str]:
    """Fill in the files that Envoy watches for changes: file name -> YAML text.

    Raises:
        OSError: the key set can't be read.
    """
    key_set = settings.key_set_file.read_text(encoding="utf-8")
    files = _fill(_documents()[1], {**_values(settings), "key_set": key_set}, settings)
    assert isinstance(files, dict)
    return {name: _dump(document) for name, document in files.items()}


def _documents() -> list[object]:
    return list(yaml.safe_load_all(TEMPLATE.read_text(encoding="utf-8")))


def _dump(document: object) -> str:
    return yaml.dump(document, Dumper=_PlainDumper, sort_keys=False, width=100)


class _PlainDumper(yaml.SafeDumper):
    """Writes no aliases: shared parts of the template are written out where they are used."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _values(settings: GatewaySettings) -> dict[str, object]:
    """Name every value that a placeholder may ask for outside of a repetition."""
    return {
        **asdict(settings.limits),
        "listen_address": settings.listen_address,
        "listen_port": settings.listen_port,
        "admin_port": settings.admin_port,
        "certificate_folder": str(settings.certificate_folder),
        "client_certificate_folder": str(settings.client_certificate_folder),
        "watched_folder": str(settings.watched_folder),
        "issuer": settings.issuer,
        "audience": settings.audience,
        "server_names": list(settings.server_names),
        "web_origins": [{"exact": origin} for origin in settings.web_origins],
        "device_pattern": "|".join(re.escape(model) for model in settings.device_models),
        "features": list(settings.upstreams),
        "local_replies": local_replies(),
    }


def _feature_values(settings: GatewaySettings, feature: str) -> dict[str, object]:
    upstream = settings.upstreams[feature]
    hosts = (upstream.host, *upstream.more_hosts)
    return {
        "feature": feature,
        "service": SERVICES[feature],
        "replicas": [_endpoint(host, upstream.port) for host in hosts],
    }


def _endpoint(host: str, port: int) -> dict[str, object]:
    address = {"socket_address": {"address": host, "port_value": port}}
    return {"endpoint": {"address": address}}


def _fill(node: object, values: Mapping[str, object], settings: GatewaySettings) -> object:
    """Copy a parsed tree with its placeholders replaced and its repetitions written out."""
    if isinstance(node, str):
        return _fill_text(node, values)
    if isinstance(node, list):
        return [filled for item in node for filled in _fill_item(item, values, settings)]
    if isinstance(node, dict):
        filled: dict[object, object] = {}
        for key, value in node.items():
            if key == REPEAT:
                for feature in settings.upstreams:
                    scope = {**values, **_feature_values(settings, feature)}
                    entries = _fill(value, scope, settings)
                    assert isinstance(entries, dict)
                    filled.update(entries)
            else:
                filled[_fill_text(key, values)] = _fill(value, values, settings)
        return filled
    return node


def _fill_item(
    item: object, values: Mapping[str, object], settings: GatewaySettings
) -> list[object]:
    """Fill one item of a list; a repetition yields several."""
    if not (isinstance(item, dict) and REPEAT in item):
        return [_fill(item, values, settings)]
    items: list[object] = []
    for feature in settings.upstreams:
        repeated = _fill(item[REPEAT], {**values, **_feature_values(settings, feature)}, settings)
        assert isinstance(repeated, list)
        items.extend(repeated)
    return items


def _fill_text(text: str, values: Mapping[str, object]) -> object:
    """Replace placeholders; a text that is one placeholder takes the value with its type."""
    whole = _PLACEHOLDER.fullmatch(text)
    if whole:
        return values[whole[1]]
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), text)


if __name__ == "__main__":
    main()
