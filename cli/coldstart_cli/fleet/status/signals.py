"""What keeps a signal of the layer from arriving, and the cure: pure functions of what is known.

They are about one configuration, $LATEST or a published version; ``served.py`` is about aliases.
Each problem names the AWS document, or the one of ours, that the fact is from.
"""

from __future__ import annotations

from collections.abc import Iterator

from coldstart_layer.settings import Settings

from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.status import permissions, wiring_signals
from coldstart_cli.fleet.status.problems import Problem, Surroundings, change
from coldstart_cli.fleet.wiring import OFF, ON, enabled

_GUIDE = "Lambda developer guide, "
_XRAY = _GUIDE + '"Visualize Lambda function invocations using AWS X-Ray"'
_LOGS = _GUIDE + '"Sending Lambda function logs to CloudWatch Logs"'
_LEVELS = _GUIDE + '"Log-level filtering", System log level event mapping'
_CLASSES = 'CloudWatch Logs user guide, "Log classes"'
_SETTINGS = "README.md, Settings"
_BOUNDARY = "; a permissions boundary or an organization's policy has to allow it too"


def problems(
    function: FleetFunction, around: Surroundings, alias: str | None = None
) -> tuple[Problem, ...]:
    """What keeps the signals of one configuration from arriving.

    Args:
        function: $LATEST, or a published version.
        around: what else is known; of what is not, nothing is said.
        alias: whose version it is, for the cure.

    Returns:
        Nothing where the function has nothing of ours.
    """
    found = list(wiring_signals.wiring_problems(function, around, alias))
    if wiring_signals.runs(function, around.layer):
        found += _settings(function, alias)
        settings = Settings(function.variables)
        if settings.tracing:
            found += _tracing(function, around, alias)
        found += _logging(function, around, alias, settings)
    return tuple(found)


def _settings(function: FleetFunction, alias: str | None) -> Iterator[Problem]:
    """Which signals are switched off, read by the layer's own rules."""
    settings = Settings(function.variables)
    for name, is_on, lost in (
        ("COLDSTART_LOGS", settings.logs, "log lines have no fields of ours"),
        ("COLDSTART_METRICS", settings.metrics, "no metrics, and no starts in a report"),
        ("COLDSTART_TRACING", settings.tracing, "no annotations in X-Ray"),
    ):
        if not is_on:
            kind = name.lower().replace("coldstart_", "") + "-off"
            yield Problem(
                kind, f"{name} is off: {lost}", change(f"remove {name}", alias), _SETTINGS
            )
    warnings = list(settings.warnings)
    if enabled(function.variables) not in (*ON, *OFF):
        value = function.variables["COLDSTART_ENABLED"][:80]
        warnings.append(f"COLDSTART_ENABLED={value!r} is neither on nor off; using on")
    for warning in warnings:
        name = warning.partition("=")[0]
        cure = change(f"correct {name}, or remove it", alias)
        yield Problem("setting-not-usable", warning, cure, _SETTINGS)


def _tracing(function: FleetFunction, around: Surroundings, alias: str | None) -> Iterator[Problem]:
    if tracing_mode(function) == "PassThrough":
        what = (
            "tracing is PassThrough: annotations are in X-Ray only where the caller samples the"
            " request"
        )
        yield Problem("tracing-passive", what, change("switch active tracing on", alias), _XRAY)
    denied = _denied(around, permissions.TRACING)
    if denied:
        what = f"its role {_role(function)} may not {denied}: nothing arrives in X-Ray"
        cure = "attach the policy AWSXRayDaemonWriteAccess to the role" + _BOUNDARY
        yield Problem("tracing-not-allowed", what, cure, _XRAY)


def _logging(
    function: FleetFunction, around: Surroundings, alias: str | None, settings: Settings
) -> Iterator[Problem]:
    # No application log level drops our EMF line: it carries the level that is configured. Whether
    # a version of the layer is older than that, its number does not tell.
    group = function.log_group
    denied = _denied(around, permissions.LOGGING)
    if denied:
        what = (
            f"its role {_role(function)} may not {denied} on log group {group}: no log lines and no"
            " metrics arrive"
        )
        cure = "attach the policy AWSLambdaBasicExecutionRole to the role" + _BOUNDARY
        yield Problem("logging-not-allowed", what, cure, _LOGS)
    if settings.metrics and around.log_class not in (None, "STANDARD"):
        what = (
            f"log group {group} is of class {around.log_class}: no metrics are made of EMF lines"
            if around.log_class == "INFREQUENT_ACCESS"
            else f"log group {group} is of class {around.log_class}: only STANDARD is said to"
            " support all, metrics of EMF lines among it"
        )
        cure = change("have it log to a log group of class STANDARD (a class cannot change)", alias)
        yield Problem("metrics-not-extracted", what, cure, _CLASSES)
    if log_format(function) == ("JSON", "WARN"):
        what = (
            "its system log level is WARN: there are no START and REPORT lines of requests that"
            " succeed, so `coldstart report` misses them"
        )
        cure = change("set the system log level to INFO", alias)
        yield Problem("platform-lines-filtered", what, cure, _LEVELS)


def tracing_mode(function: FleetFunction) -> str | None:
    """Active or PassThrough ("TracingConfigResponse" in the Lambda API reference).

    None where it is not known.
    """
    mode = (function.configuration.get("TracingConfig") or {}).get("Mode")
    return None if mode is None else str(mode)


def log_format(function: FleetFunction) -> tuple[str, str | None]:
    """The log format, and with JSON the system log level ("LoggingConfig", as above)."""
    config = function.configuration.get("LoggingConfig") or {}
    if config.get("LogFormat") != "JSON":
        return "Text", None
    return "JSON", str(config.get("SystemLogLevel", "INFO"))


def _denied(around: Surroundings, actions: tuple[str, ...]) -> str:
    allowed = around.allowed or {}
    return " and ".join(action for action in actions if allowed.get(action) is False)


def _role(function: FleetFunction) -> str:
    return str(function.configuration.get("Role", "")).rpartition("/")[2]
