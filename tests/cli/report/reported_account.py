"""An account to report on: its log lines are served as by CloudWatch Logs, its metrics by moto."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import boto3
from botocore.config import Config
from cloudwatch_logs import CloudWatchLogs, serving
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.report.account.report import report_of_account
from coldstart_cli.report.figures import FunctionFigures, Report
from function_logs import FunctionLog
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"
# The window: an hour, in which metrics have periods of a minute.
BEGIN = int(time.time()) // 3_600 * 3_600 - 7_200
END = BEGIN + 3_600


def fleet_function(name: str, **configuration: Any) -> FleetFunction:
    """A function as ListFunctions describes it."""
    arn = f"arn:aws:lambda:{REGION}:123456789012:function:{name}"
    described = {
        "FunctionName": name,
        "FunctionArn": arn,
        "MemorySize": 512,
        "Runtime": "python3.13",
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "SnapStart": {"ApplyOn": "None"},
    }
    return FleetFunction(configuration.pop("region", REGION), described | configuration)


def client_of(urls: Mapping[str, str], service: str, region: str) -> Any:
    """boto3's client, without retries."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=urls[service],
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )


@dataclass
class Account:
    logs: CloudWatchLogs
    urls: Mapping[str, str]
    functions: list[FleetFunction] = field(default_factory=list)
    slept: float = 0.0
    said: list[str] = field(default_factory=list)

    def client(self, service: str, region: str) -> Any:
        return client_of(self.urls, service, region)

    def add(self, log: FunctionLog, invocations: int | None = None, **configuration: Any) -> None:
        """Add a function with its log events; as many invocations as it has REPORT lines."""
        function = fleet_function(log.function, **configuration)
        self.functions.append(function)
        if function.log_group in self.logs.groups:
            self.logs.groups[function.log_group].events += log.events
        else:
            self.logs.add(function.log_group, log.events)
        reports = [
            at
            for at, _, message in log.events
            if message.startswith("REPORT ") or '"platform.report"' in message
        ]
        if invocations is None:
            invocations = sum(BEGIN <= at < END for at in reports)
        if invocations:
            self.metric("Invocations", log.function, {BEGIN + 60: invocations})

    def metric(
        self, name: str, function: str, values: Mapping[int, float], qualifier: str = ""
    ) -> None:
        """Put data points of AWS/Lambda, by epoch seconds."""
        dimensions = [{"Name": "FunctionName", "Value": function}]
        if qualifier:
            dimensions.append({"Name": "Resource", "Value": f"{function}:{qualifier}"})
        self.client("cloudwatch", REGION).put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": dimensions,
                    "Timestamp": datetime.fromtimestamp(at, timezone.utc),
                    "Value": value,
                }
                for at, value in values.items()
            ],
        )

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def report(self, begin: float = BEGIN, end: float = END) -> Report:
        return report_of_account(
            self.client, self.functions, begin, end, self.said.append, self.sleep
        )

    def figures(self) -> FunctionFigures:
        """Of its only function."""
        (figures,) = self.report().functions
        return figures


@contextmanager
def metrics_service() -> Iterator[str]:
    """moto's server; its URL."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def account(metrics_url: str) -> Iterator[Account]:
    """An empty account."""
    with serving() as (logs, url):
        of = Account(logs, {"logs": url, "lambda": url, "cloudwatch": metrics_url})
        yield of
