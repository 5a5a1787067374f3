"""The engine's patience."""

from attrs import asdict

from kataven_core.runtime import EngineSettings


def test_the_defaults_are_what_the_promises_are_made_of() -> None:
    settings = EngineSettings()
    assert asdict(settings) == {
        "send_deadline_s": 5.0,
        "originate_limit_s": 5.0,
        "settle_limit_s": 5.0,
        "drain_s": 8.0,
        "reconcile_every_s": 30.0,
        "lost_after_s": 120.0,
        "longest_call_s": 3720.0,
        "line_pause_s": 1.0,
        "line_pause_max_s": 30.0,
        "store_pause_s": 0.1,
        "store_pause_max_s": 5.0,
    }
    assert max(settings.send_deadline_s, settings.originate_limit_s, settings.settle_limit_s) <= 5
    assert settings.drain_s < 10
