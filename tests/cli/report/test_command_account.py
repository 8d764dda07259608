"""`coldstart report` of an account, as a process over HTTP: from log lines to the page."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
from account import COLDSTART
from cloudwatch_logs import serving
from function_logs import FunctionLog


@pytest.fixture
def report(account, tmp_path):
    """An account with two functions that were invoked in the last hour."""
    account.function("orders")
    account.function("payments")
    account.function("web", Runtime="nodejs22.x")
    began = time.time() - 1800
    log = FunctionLog("orders")
    log.request(began, "cold", init_ms=412.5)
    for second in range(1, 8):
        log.request(began + second)
    with serving() as (logs, url):
        logs.add("/aws/lambda/orders", log.events)
        logs.add("/aws/lambda/payments", [])
        cloudwatch = account.server.client("cloudwatch")
        cloudwatch.put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[
                {
                    "MetricName": "Invocations",
                    "Dimensions": [{"Name": "FunctionName", "Value": "orders"}],
                    "Timestamp": began,
                    "Value": 8,
                }
            ],
        )

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [COLDSTART, "report", *arguments, "--rate", "100"],
                env={
                    **account.environment,
                    "AWS_ENDPOINT_URL": account.server.url,
                    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": url,
                },
                capture_output=True, text=True, timeout=60,
            )  # fmt: skip

        yield run


def test_json(report) -> None:
    run = report("--all", "--json")
    assert run.returncode == 0, run.stderr
    document = json.loads(run.stdout)
    figures = {one["function"]: one for one in document["functions"]}
    assert set(figures) == {"orders", "payments"}
    orders = figures["orders"]
    assert (orders["invocations"], orders["cold_starts"], orders["starts"]) == (8, 1, {"cold": 1})
    assert orders["init"]["max"] == 412.5
    assert orders["memory_mb"] == 512  # as its lines say, not as $LATEST is configured


def test_table_and_page(report, tmp_path) -> None:
    run = report("orders", "--since", "2h", "--html", str(tmp_path / "page.html"))
    assert run.returncode == 0, run.stderr
    assert "orders: cold 1" in run.stdout
    assert "12.5%" in run.stdout
    assert f"wrote {tmp_path}/page.html" in run.stderr
    assert "orders" in (tmp_path / "page.html").read_text()


def test_nothing_matches(report) -> None:
    run = report("--prefix", "web")
    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr == "coldstart: no Python function matches\n"


def test_one_that_is_missing(report) -> None:
    run = report("orders", "nobody", "--json")
    assert run.returncode == 1
    assert "there is no function nobody" in run.stderr
    assert json.loads(run.stdout)["functions"]
