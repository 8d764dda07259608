"""The rows: what is measured, and how each is set up.

Each alternative is set up as its documentation says, with all that it would send switched off or
without a destination: its row is what it costs before it reports anything to anybody. Its packages
have their bytecode with them, which the layers that are published of some leave out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

HANDLERS = {
    "empty": ("", "return None"),
    "boto3": ("import boto3\nclient = boto3.client('s3')\n", "return None"),
    # A hundred modules of the standard library more.
    "library": ("import asyncio, email.mime.text, unittest.mock, xml.dom.minidom\n", "return None"),
    # The event is how many lines to log.
    "lines": (
        "import logging\nlogger = logging.getLogger()\n",
        "for number in range(event):\n        logger.warning('order %s is on its way', number)",
    ),
}


@dataclass(frozen=True)
class Arm:
    """One way to run a function.

    Attributes:
        name: the row's.
        layer: whether the built layer is in /opt.
        opt: the folder in ``benchmarks/opt`` that is in /opt.
        packages: the environment, as a folder in ``build``, whose packages are in /opt/python.
        distribution: the one of them that the row is about.
        imports: code in front of the function's own.
        decorators: lines in front of its handler.
        files: other files of the function, and what is in them.
        variables: the function's environment variables.
        sampled: whether the events' traces are sampled for X-Ray.
    """

    name: str
    layer: bool = False
    opt: str | None = None
    packages: str | None = None
    distribution: str | None = None
    imports: str = ""
    decorators: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    sampled: bool = False

    def module(self, handler: str) -> str:
        """The source of the function's module with one of ``HANDLERS``."""
        loading, body = HANDLERS[handler]
        code = f"def handler(event, context):\n    {body}\n"
        return f"{self.imports}{loading}{self.decorators}{code}"


BARE = Arm("bare runtime")
# What differs between these two is noise.
BARE_AGAIN = Arm("bare runtime, once more")
FLOOR = Arm(
    "floor: empty bash wrapper", opt="floor", variables={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}
)
FLOOR_WITH_SHIM = replace(FLOOR, name="floor: bash, empty script", opt="floor-with-shim")


def _ours(name: str, *, sampled: bool = False, **settings: str) -> Arm:
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/coldstart-wrapper", **settings}
    return Arm(name, layer=True, variables=variables, sampled=sampled)


OURS = _ours("this layer")
OURS_SAMPLED = _ours("  sampled for X-Ray", sampled=True)
OURS_PROFILED = _ours("  COLDSTART_PROFILE=on", COLDSTART_PROFILE="on")
OURS_IN_PARTS = (
    _ours("  COLDSTART_LOGS=off", COLDSTART_LOGS="off"),
    _ours("  COLDSTART_METRICS=off", COLDSTART_METRICS="off"),
    _ours("  COLDSTART_TRACING=off", COLDSTART_TRACING="off"),
    OURS_PROFILED,
    _ours("  COLDSTART_ENABLED=off", COLDSTART_ENABLED="off"),
)

_POWERTOOLS_IMPORTS = """
from aws_lambda_powertools import Logger, Metrics
logger = Logger(service="benchmark")
metrics = Metrics(namespace="benchmark", service="benchmark")
"""
_POWERTOOLS_DECORATORS = """
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
"""
POWERTOOLS = Arm(
    "Powertools Logger+Metrics",
    packages="benchmarks/powertools-3",
    distribution="aws-lambda-powertools",
    imports=_POWERTOOLS_IMPORTS,
    decorators=_POWERTOOLS_DECORATORS,
)
POWERTOOLS_TRACER = replace(
    POWERTOOLS,
    name="Powertools, with Tracer",
    imports=_POWERTOOLS_IMPORTS
    + 'from aws_lambda_powertools import Tracer\ntracer = Tracer(service="benchmark")\n',
    decorators=_POWERTOOLS_DECORATORS + "@tracer.capture_lambda_handler\n",
    sampled=True,
)
XRAY_SDK = Arm(
    "aws-xray-sdk, imported",
    packages="benchmarks/powertools-3",
    distribution="aws-xray-sdk",
    imports="from aws_xray_sdk.core import xray_recorder\n",
    sampled=True,
)
# Without its extension and without a key it writes its spans and metrics to the log.
DATADOG = Arm(
    "datadog-lambda",
    packages="benchmarks/datadog",
    distribution="datadog-lambda",
    variables={
        "DD_LAMBDA_HANDLER": "{module}.handler",
        "_HANDLER": "datadog_lambda.handler.handler",
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
        "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    },
)
DATADOG_WITHOUT_COLD_STARTS = replace(
    DATADOG,
    name="  no cold start tracing",
    variables={**DATADOG.variables, "DD_COLD_START_TRACING": "false"},
)
_OTEL_WRAPPER = """
import os
from importlib import import_module
module, _, name = os.environ["ORIG_HANDLER"].rpartition(".")
lambda_handler = getattr(import_module(module), name)
"""
OPENTELEMETRY = Arm(
    "OpenTelemetry",
    opt="opentelemetry",
    packages="benchmarks/opentelemetry",
    distribution="opentelemetry-instrumentation-aws-lambda",
    files={"otel_wrapper.py": _OTEL_WRAPPER},
    variables={
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    },
)
NEWRELIC = Arm(
    "newrelic-lambda",
    packages="benchmarks/newrelic",
    distribution="newrelic-lambda",
    imports="import newrelic.agent\n"
    "from newrelic_lambda.lambda_handler import lambda_handler\n"
    "newrelic.agent.initialize()\n",
    decorators="@lambda_handler()\n",
)
LUMIGO = Arm(
    "lumigo-tracer",
    packages="benchmarks/lumigo",
    distribution="lumigo-tracer",
    imports="from lumigo_tracer import lumigo_tracer\n",
    decorators='@lumigo_tracer(token="t_0123456789abcdefghijkl", should_report=False)\n',
    variables={"LUMIGO_INITIALIZATION_CONNECTION": "false"},
)
# Switched off it would still make requests: so its transport does all but those.
_SILENT_TRANSPORT = """
from elasticapm.transport.http import Transport
class Silent(Transport):
    def send(self, data, *args, **kwargs):
        pass
"""
ELASTIC_APM = Arm(
    "elastic-apm",
    packages="benchmarks/elastic-apm",
    distribution="elastic-apm",
    imports="from elasticapm import capture_serverless\n",
    decorators="@capture_serverless\n",
    files={"silent.py": _SILENT_TRANSPORT},
    variables={"ELASTIC_APM_TRANSPORT_CLASS": "silent.Silent"},
)
SENTRY = Arm(
    "sentry-sdk",
    packages="benchmarks/sentry",
    distribution="sentry-sdk",
    imports="import sentry_sdk\n"
    "from sentry_sdk.integrations.aws_lambda import AwsLambdaIntegration\n"
    # The discard port; it is told of errors only, and there are none.
    'sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", integrations=[AwsLambdaIntegration()])\n',
)

FLOORS = (FLOOR, FLOOR_WITH_SHIM)
ALTERNATIVES = (
    XRAY_SDK,
    POWERTOOLS,
    POWERTOOLS_TRACER,
    SENTRY,
    ELASTIC_APM,
    LUMIGO,
    NEWRELIC,
    DATADOG,
    DATADOG_WITHOUT_COLD_STARTS,
    OPENTELEMETRY,
)
# What tells of imports, the arm with it and that without.
PROFILING = (
    ("COLDSTART_PROFILE=on", OURS_PROFILED, OURS),
    ("DD_COLD_START_TRACING", DATADOG, DATADOG_WITHOUT_COLD_STARTS),
)
# Whose difference to another arm is to be seen, and is small.
OFTEN_WITH_BOTO3 = (BARE, *(arm for _, *pair in PROFILING for arm in pair))
ALL = (BARE, BARE_AGAIN, *FLOORS, OURS, OURS_SAMPLED, *OURS_IN_PARTS, *ALTERNATIVES)
