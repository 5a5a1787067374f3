"""What all tests share: how hard Hypothesis tries."""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    deadline=None,  # no test depends on the speed of the machine
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.register_profile("quick", settings.get_profile("default"), max_examples=10, stateful_step_count=20)
settings.register_profile("deep", settings.get_profile("default"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse two tests of one name: when tests are run on several cores, only one of them would be."""
    twins = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    assert not twins, f"several tests of one name: {twins[:5]}"
