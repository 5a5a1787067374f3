import pytest
from attrs.exceptions import FrozenInstanceError

from kataven_adapters.http import ApiSettings
from kataven_core import MAX_FILE_BYTES, RETRY_DELAY_MIN_S


def test_the_defaults_are_the_contracts() -> None:
    settings = ApiSettings()
    assert (settings.tick_s, settings.heartbeat_s) == (2, 15)
    assert settings.retry_delay_min_s == RETRY_DELAY_MIN_S == 60
    assert settings.requests_per_minute is None
    assert MAX_FILE_BYTES == 10 * 1024 * 1024 < settings.max_body_bytes, "a whole file, and what stands around it"


def test_they_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        ApiSettings().tick_s = 1  # type: ignore[misc] # that it can't be set is the point
