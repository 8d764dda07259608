"""Errors of AWS, and of the way to it: one line that says what to do, and exit code 1."""

from __future__ import annotations

import pytest
from aws_server import error
from click.testing import CliRunner
from coldstart_cli.main import main
from werkzeug.wrappers import Response

DENIED = "User: arn:aws:iam::1:user/u is not authorized to perform: {} on resource: *"


def one_line(run) -> str:
    assert run.exit_code == 1, run.output
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    return line


def answer(account, operation: str, response: Response) -> None:
    account.server.service.before = lambda asked, _: (
        response if asked.operation == operation else None
    )


@pytest.mark.parametrize(
    ("operation", "code", "message", "line"),
    [
        (
            "GetFunctionConfiguration", "AccessDeniedException",
            DENIED.format("lambda:GetFunctionConfiguration"),
            "not allowed: the permission lambda:GetFunctionConfiguration is needed (User:",
        ),
        (
            "GetResources", "AccessDeniedException", "You may not",
            "not allowed: the permission tag:GetResources is needed (You may not)",
        ),
        (
            "GetFunctionConfiguration", "ExpiredTokenException", "The security token expired",
            "the credentials have expired: sign in again",
        ),
        (
            "GetFunctionConfiguration", "UnrecognizedClientException", "The token is invalid.",
            "AWS does not accept the credentials (UnrecognizedClientException)",
        ),
        (
            "GetFunctionConfiguration", "InvalidParameterValueException", "No\n such thing",
            "GetFunctionConfiguration failed: InvalidParameterValueException: No such thing",
        ),
    ],
)  # fmt: skip
def test_refused(account, operation: str, code: str, message: str, line: str) -> None:
    account.layer()
    account.function("orders")
    answer(account, operation, error(400, code, message))
    assert one_line(account.run("attach", "orders", "--yes")).startswith(f"coldstart: {line}")


def test_throttled_without_end(account, monkeypatch) -> None:
    monkeypatch.setattr("coldstart_cli.fleet.access._RETRIES", {"total_max_attempts": 2})
    account.layer()
    account.function("orders")
    answer(account, "ListFunctions", error(429, "TooManyRequestsException", "Rate exceeded"))
    line = one_line(account.run("attach", "--all", "--yes"))
    assert line.startswith("coldstart: AWS throttles ListFunctions")
    assert "lower --rate" in line


@pytest.mark.parametrize("body", [b"<html>Proxy</html>", b"", b"{", b"\xff\x00"])
def test_something_else_answers(account, body: bytes) -> None:
    account.function("orders")
    answer(account, "GetFunctionConfiguration", Response(body, 403, content_type="text/html"))
    line = one_line(account.run("attach", "orders", "--yes"))
    assert "GetFunctionConfiguration" in line or "something unexpected: Unicode" in line


@pytest.mark.parametrize(
    ("variables", "arguments", "line"),
    [
        ({"AWS_REGION": ""}, [], "no region: give --region, or set AWS_REGION"),
        ({"AWS_ACCESS_KEY_ID": ""}, [], "no AWS credentials: run `aws configure`"),
        ({}, ["--profile", "nobody"], "The config profile (nobody) could not be found"),
        ({"AWS_PROFILE": "nobody"}, [], "The config profile (nobody) could not be found"),
        ({}, ["--endpoint-url", "http://127.0.0.1:9"], "no connection: Could not connect to"),
        (
            {},
            ["--endpoint-url", "nonsense"],
            "--endpoint-url 'nonsense' is not like https://host:port",
        ),
        ({}, ["--endpoint-url", "http://"], "is not like https://host:port"),
        ({}, ["--endpoint-url", "http://a:99999"], "is not like https://host:port"),
        ({"AWS_ENDPOINT_URL": "nonsense"}, [], "Invalid endpoint: nonsense"),
        ({}, ["--region", ""], "--region is empty"),
        ({}, ["--region", "no such"], "Provided region_name 'no such' doesn't match"),
        ({"AWS_CONFIG_FILE": "{process}", "AWS_ACCESS_KEY_ID": ""}, [], "no-such-program"),
        ({"AWS_CONFIG_FILE": "{broken}"}, [], "Unable to parse config file"),
    ],
)
def test_no_way_to_aws(account, monkeypatch, variables, arguments: list[str], line: str) -> None:
    monkeypatch.setattr("coldstart_cli.fleet.access._RETRIES", {"total_max_attempts": 1})
    broken = account.home / "config"
    broken.write_text("[profile\nx")
    process = account.home / "process"
    process.write_text("[default]\ncredential_process = /no-such-program\n")
    variables = {
        name: value.format(broken=broken, process=process) for name, value in variables.items()
    }
    environment = {
        **account.environment, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": None, **variables
    }  # fmt: skip
    run = CliRunner(env=environment).invoke(main, ["attach", "orders", "--yes", *arguments])
    assert line in one_line(run)
