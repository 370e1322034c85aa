"""Settings: what the environment may say."""

from pathlib import Path

import pytest

from services.chassis.memory.guard import Retention
from services.chassis.settings import Device, Settings, SettingsError


def test_an_empty_environment_gives_the_defaults() -> None:
    """Every setting has a default, and the default retention is the strict one."""
    assert Settings.from_env({}) == Settings()
    assert Settings().retention is Retention.STRICT


def test_each_kind_of_value_is_read() -> None:
    """Text, paths, lists, numbers and choices become their field's type."""
    settings = Settings.from_env(
        {
            "BATCHPIX_LISTEN": "127.0.0.1:1",
            "BATCHPIX_MODELS": "weights",
            "BATCHPIX_ALLOWED_CALLERS": "spiffe://a, spiffe://b",
            "BATCHPIX_THREADS": "3",
            "BATCHPIX_DRAIN_SECONDS": "1.5",
            "BATCHPIX_RETENTION": "best-effort",
            "BATCHPIX_DEVICE": "cpu",
            "PATH": "/bin",
        }
    )

    assert settings.listen == "127.0.0.1:1"
    assert settings.models == Path("weights")
    assert settings.allowed_callers == ("spiffe://a", "spiffe://b")
    assert settings.threads == 3
    assert settings.drain_seconds == 1.5
    assert settings.retention is Retention.BEST_EFFORT
    assert settings.device is Device.CPU


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BATCHPIX_THREDS", "2"),
        ("BATCHPIX_THREADS", "two"),
        ("BATCHPIX_THREADS", "0"),
        ("BATCHPIX_STALL_SECONDS_MAX", "-1"),
        ("BATCHPIX_RETENTION", "none"),
        ("BATCHPIX_CALL_MEMORY_BYTES_MAX", str(1 << 60)),
        ("BATCHPIX_MEDIUM_BYTES_MAX", str(1 << 40)),
    ],
)
def test_a_misspelt_or_impossible_setting_is_refused_by_name(variable: str, value: str) -> None:
    """An operator's slip stops the start and names the variable, instead of being ignored."""
    with pytest.raises(SettingsError, match=variable):
        Settings.from_env({variable: value})
