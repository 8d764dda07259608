from __future__ import annotations

import pytest
from coldstart_layer.settings import Settings
from hypothesis import given
from hypothesis import strategies as st

SWITCHES = {
    "COLDSTART_LOGS": "logs",
    "COLDSTART_METRICS": "metrics",
    "COLDSTART_TRACING": "tracing",
}


def test_defaults() -> None:
    settings = Settings({})
    assert (settings.logs, settings.metrics, settings.tracing) == (True, True, True)
    assert settings.namespace == "ColdStart"
    assert settings.initialization_type == "unknown"
    assert settings.json_level is None
    assert settings.warnings == []


@pytest.mark.parametrize(("name", "attribute"), SWITCHES.items())
@pytest.mark.parametrize(
    ("value", "on"),
    [("on", True), ("TRUE", True), (" 1 ", True), ("", True), ("off", False), ("No", False)],
)
def test_switch(name: str, attribute: str, value: str, on: bool) -> None:
    settings = Settings({name: value})
    assert getattr(settings, attribute) is on
    assert settings.warnings == []


@pytest.mark.parametrize(("name", "attribute"), SWITCHES.items())
def test_bad_switch_is_named_with_its_value_and_what_is_used(name: str, attribute: str) -> None:
    settings = Settings({name: "maybe"})
    assert getattr(settings, attribute) is True
    assert settings.warnings == [f"{name}='maybe' is neither on nor off; using on"]


@pytest.mark.parametrize("namespace", ["Team/ColdStart", "a", "My app_1.2-3#4:5"])
def test_namespace(namespace: str) -> None:
    settings = Settings({"COLDSTART_METRICS_NAMESPACE": namespace})
    assert (settings.namespace, settings.warnings) == (namespace, [])


@pytest.mark.parametrize("namespace", [":x", "AWS/Lambda", " ", "ü", "a\nb", "x" * 256, "a,b"])
def test_bad_namespace(namespace: str) -> None:
    settings = Settings({"COLDSTART_METRICS_NAMESPACE": namespace})
    assert settings.namespace == "ColdStart"
    (warning,) = settings.warnings
    assert warning.startswith("COLDSTART_METRICS_NAMESPACE=")
    assert warning.endswith("using ColdStart")
    assert "\n" not in warning


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({"AWS_LAMBDA_LOG_FORMAT": "Text", "AWS_LAMBDA_LOG_LEVEL": "WARN"}, None),
        ({"AWS_LAMBDA_LOG_FORMAT": "JSON"}, "INFO"),
        ({"AWS_LAMBDA_LOG_FORMAT": "json", "AWS_LAMBDA_LOG_LEVEL": "warn"}, "WARN"),
        ({"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "ERROR"}, "FATAL"),
        ({"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "FATAL"}, "FATAL"),
        ({"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "LOUD"}, "INFO"),
    ],
)
def test_log_level_of_the_json_format(environ: dict[str, str], level: str | None) -> None:
    assert Settings(environ).json_level == level


@given(
    st.dictionaries(
        st.sampled_from([*SWITCHES, "COLDSTART_METRICS_NAMESPACE", "AWS_LAMBDA_LOG_LEVEL"]),
        st.text(),
    )
)
def test_any_text_gives_settings_and_one_line_for_each_bad_one(environ: dict[str, str]) -> None:
    settings = Settings(environ)
    assert len(settings.warnings) <= len(environ)
    assert all(len(warning.splitlines()) == 1 for warning in settings.warnings)
