"""What the environment variables ask of the layer: each one is named here, and read here."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMESPACE = "ColdStart"
_SWITCH = {"on": True, "true": True, "yes": True, "1": True}
_SWITCH.update({"off": False, "false": False, "no": False, "0": False})
# The levels of Lambda's application log filter ("Log-level filtering" in the developer guide), and
# at which of them a line of ours passes it.
_LEVELS = {level: level for level in ("TRACE", "DEBUG", "INFO", "WARN", "FATAL")}
_LEVELS["ERROR"] = "FATAL"


class Settings:
    """The configuration of the layer and of the function, read once when the process starts."""

    def __init__(self, environ: "Mapping[str, str]") -> None:
        """Read the settings.

        Args:
            environ: the environment variables.

        A value that cannot be used is replaced by its default and named in ``warnings``.
        """
        self.warnings: list[str] = []
        self.logs = self._switch(environ, "COLDSTART_LOGS")
        self.metrics = self._switch(environ, "COLDSTART_METRICS")
        self.tracing = self._switch(environ, "COLDSTART_TRACING")
        self.profile = self._switch(environ, "COLDSTART_PROFILE", "off")
        self.namespace = self._metrics_namespace(environ)

        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html names these.
        self.initialization_type = environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") or "unknown"
        self.log_stream = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.handler = environ.get("_HANDLER")
        self.memory_size = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.daemon_address = environ.get("AWS_XRAY_DAEMON_ADDRESS") or "127.0.0.1:2000"

        # What lets a line of ours pass where Lambda filters by level, which it does with JSON as
        # the log format; None: it does not. Never ERROR: alarms count those.
        self.json_level: str | None = None
        if environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
            level = environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
            self.json_level = _LEVELS.get(level, "INFO")

    def _switch(self, environ: "Mapping[str, str]", name: str, default: str = "on") -> bool:
        value = environ.get(name, "")
        on = _SWITCH.get(value.strip().lower() or default)
        if on is None:
            self.warnings.append(f"{name}={value[:80]!r} is neither on nor off; using {default}")
            return _SWITCH[default]
        return on

    def _metrics_namespace(self, environ: "Mapping[str, str]") -> str:
        """The EMF namespace, within what CloudWatch's PutMetricData takes as one."""
        name = "COLDSTART_METRICS_NAMESPACE"
        value = environ.get(name, "")
        if not value:
            return _NAMESPACE
        known = value.isascii() and all(c.isalnum() or c in "._-/#: " for c in value)
        if known and value.strip() and len(value) <= 255 and not value.startswith((":", "AWS/")):
            return value
        self.warnings.append(
            f"{name}={value[:80]!r} is not a namespace that CloudWatch takes; using {_NAMESPACE}"
        )
        return _NAMESPACE
