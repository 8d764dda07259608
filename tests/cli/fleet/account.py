"""An account with functions, for the commands that work on many."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import multiprocessing
import os
import subprocess
import sys
import zipfile
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from aws_server import CREDENTIALS, REGION, AwsServer
from botocore.loaders import JSONFileLoader
from click.testing import CliRunner, Result
from coldstart_cli.main import main

OURS = "/opt/coldstart-wrapper"
COLDSTART = Path(sys.executable).with_name("coldstart")

# Each run of the command has a session of its own, which would read the services' descriptions
# again: most of the time that a run takes.
_load_file = functools.cache(JSONFileLoader().load_file)
JSONFileLoader.load_file = lambda _self, path: _load_file(path)  # type: ignore[method-assign]


def code(text: str = "", name: str = "app.py") -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, text)
    return archive.getvalue()


# Starting Python and loading boto3 takes most of the time of a short command.
_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["coldstart_cli.fleet.attach.commands", "account"])


def _command(arguments: list[str], environment: dict[str, str]) -> None:
    os.environ.update(environment)
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        main(arguments)


class Account:
    """What is in the account, and the `coldstart` command run against it."""

    def __init__(self, server: AwsServer, home: Path) -> None:
        self.server, self.home = server, home
        ours = code(name="coldstart-wrapper")
        server.service.layer_content = lambda name: ours if "coldstart" in name else code()
        self.state = home / "state"
        self.environment = {
            "HOME": str(home),
            "XDG_STATE_HOME": str(self.state),
            "AWS_REGION": REGION,
            **CREDENTIALS,
        }
        self.role = server.client("iam").create_role(
            RoleName="functions", AssumeRolePolicyDocument="{}"
        )["Role"]["Arn"]

    def allow(self, *actions: str, resource: str = "*", **condition: Any) -> None:
        """Let the functions' role do something, and nothing else that was said so before."""
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource, **condition}
        self.server.client("iam").put_role_policy(
            RoleName="functions",
            PolicyName="functions",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    def layer(self, name: str = "coldstart-layer", region: str = REGION, **fields: Any) -> str:
        """Publish a version of a layer; its ARN."""
        return self.server.client("lambda", region).publish_layer_version(
            LayerName=name, Content={"ZipFile": code(name)}, **fields
        )["LayerVersionArn"]

    def function(self, name: str, region: str = REGION, **fields: Any) -> str:
        """Create a function; its ARN."""
        variables = fields.pop("variables", None)
        fields = {
            "Runtime": "python3.13",
            "Handler": "app.handler",
            "Code": {"ZipFile": code()},
            "Role": self.role,
            **({"Environment": {"Variables": variables}} if variables else {}),
            **fields,
        }
        client = self.server.client("lambda", region)
        return client.create_function(FunctionName=name, **fields)["FunctionArn"]

    def wired(self, name: str, region: str = REGION, **qualifier: str) -> tuple[list, dict]:
        """Layers and variables of a function, as the API tells."""
        found = self.server.client("lambda", region).get_function_configuration(
            FunctionName=name, **qualifier
        )
        variables = found.get("Environment", {}).get("Variables", {})
        return [layer["Arn"] for layer in found.get("Layers", [])], variables

    def process(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """The command, running."""
        return subprocess.Popen(
            [COLDSTART, *arguments, "--endpoint-url", self.server.url],
            env={"PATH": os.environ["PATH"], **self.environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            **options,
        )  # fmt: skip

    def forked(self, *arguments: str) -> ForkServerProcess:
        """The command, running, in a process that had its modules loaded already."""
        options = ["--endpoint-url", self.server.url, "--rate", "100"]
        process = _FORKED.Process(
            target=_command, args=([*arguments, *options], self.environment), daemon=True
        )
        process.start()
        return process

    def run(self, *arguments: str, rate: int = 100, columns: int = 200, **options: Any) -> Result:
        """The command, run to its end in this process; no terminal, unless `input` is given."""
        run = CliRunner(env={**self.environment, "COLUMNS": str(columns)}).invoke(
            main, [*arguments, "--endpoint-url", self.server.url, "--rate", str(rate)], **options
        )
        if run.exception is not None and not isinstance(run.exception, SystemExit):
            raise run.exception
        return run

    def json(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """What --json tells, by function."""
        run = self.run(*arguments, "--json")
        assert run.exit_code in (0, 1), run.output
        return {one["function"]: one for one in json.loads(run.stdout)["functions"]}
