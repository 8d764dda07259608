"""AWS over HTTP: moto's server, and in front of it what moto does not do of the services.

That is of Lambda: revision ids (412), updates that take a while (409), snapshots and provisioned
concurrency that take a while, and tags of functions in the Resource Groups Tagging API. Numbers of
"looks" are how often a client has to ask until something is done. Of IAM: the policy simulator. Of
CloudWatch Logs: the class of a log group.
"""

from __future__ import annotations

import functools
import json
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import policy_simulator
from aws_operations import operation_of
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

# Requests of the tests' own are not counted.
_INTERNAL = "of-the-tests"
ACCOUNT = "123456789012"
REGION = "eu-west-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@dataclass(frozen=True)
class Asked:
    """One request that came, named as the API names it."""

    at: float  # monotonic seconds
    operation: str
    subject: str


@dataclass
class LambdaService:
    """What the service would do, and the tests can have it do."""

    update_looks: int = 0  # after UpdateFunctionConfiguration
    pending_looks: int = 0  # after PublishVersion
    provisioned_looks: int = 0  # after UpdateAlias
    provisioned: dict[tuple[str, str], int] = field(default_factory=dict)
    provisioned_status: str = "READY"  # in the end
    # What is in a layer, by its name.
    layer_content: Callable[[str], bytes] = lambda _: b""
    allocated: dict[tuple[str, str], int] = field(default_factory=dict)  # where not all are
    log_classes: dict[str, str] = field(default_factory=dict)  # of log groups, where not STANDARD
    # More of a function's configuration, by its name, or name:version.
    more: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    # Asked before and after each request; what `before` returns is the answer.
    before: Callable[[Asked, Request], Response | None] = lambda _asked, _request: None
    after: Callable[[Asked], None] = lambda _asked: None


def error(status: int, code: str, message: str = "") -> Response:
    """An error as AWS's protocols with JSON have it."""
    return Response(
        json.dumps({"__type": code, "Message": message or code, "message": message or code}),
        status,
        {"x-amzn-ErrorType": code},
        content_type="application/json",
    )


class AwsServer:
    """Runs in a thread, on a free port of the loopback interface."""

    def __init__(self) -> None:
        self._moto = Client(DomainDispatcherApplication(create_backend_app), Response)
        self._lock = threading.RLock()
        self._server = make_server("127.0.0.1", 0, self._answer, True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.reset()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def reset(self) -> None:
        """An empty account."""
        self._moto.post("/moto-api/reset")
        self.service = LambdaService()
        self.asked: list[Asked] = []
        self._revisions: dict[str, str] = defaultdict(lambda: str(uuid.uuid4()))
        self._looks: dict[str, int] = defaultdict(int)

    @functools.cache  # noqa: B019 - there is one server in a process
    def client(self, service: str, region: str = REGION) -> Any:
        return boto3.client(
            service, region_name=region, endpoint_url=self.url,
            aws_access_key_id="testing", aws_secret_access_key="testing",
            config=Config(user_agent_extra=_INTERNAL),
        )  # fmt: skip

    def operations(self, *names: str) -> list[str]:
        """What was asked for, of these operations."""
        return [asked.operation for asked in self.asked if asked.operation in names]

    @Request.application
    def _answer(self, request: Request) -> Response:
        request.get_data()  # keeps it: reading a form otherwise leaves nothing to pass on
        operation, name, rest = operation_of(request)
        asked = Asked(time.monotonic(), operation, name)
        if _INTERNAL in request.user_agent.string:
            return self._served(operation, name, rest, request)
        self.asked.append(asked)
        response = self.service.before(asked, request)
        if response is None:
            response = self._served(operation, name, rest, request)
        self.service.after(asked)
        return response

    def serve(self, request: Request) -> Response:
        """What the service would answer, for tests that answer something else."""
        return self._served(*operation_of(request), request)

    def _served(self, operation: str, name: str, rest: str, request: Request) -> Response:
        internal = _INTERNAL in request.user_agent.string
        # Not under the lock: these ask this server themselves.
        if operation == "GetResources":
            return _json({"ResourceTagMappingList": list(self._tagged(request))})
        if request.path.startswith("/layer-content/"):
            return Response(self.service.layer_content(request.path.rpartition("/")[2]))
        if request.args.get("find") == "LayerVersion":
            return self._layer_version(request.args["Arn"])
        if operation == "SimulatePrincipalPolicy":
            return policy_simulator.answer(self.client("iam"), request.form)
        if operation == "DescribeLogGroups" and not internal:
            return self._log_groups(request)
        with self._lock:
            response = self._refusal(operation, name, rest, request)
            if response is not None:
                return response
            if operation == "GetProvisionedConcurrencyConfig":
                return self._provisioned(name, request.args["Qualifier"])
            if operation == "ListProvisionedConcurrencyConfigs":
                return self._all_provisioned(name, request)
            return self._of_moto(operation, name, rest, request)

    def _refusal(self, operation: str, name: str, rest: str, request: Request) -> Response | None:
        """409 and 412, as Lambda answers."""
        if operation not in ("UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"):
            return None
        if operation != "UpdateAlias" and self._looks[name] > 0:
            return error(409, "ResourceConflictException", "an update is in progress")
        body = json.loads(request.get_data() or b"{}")
        key = f"{name}/{rest}" if operation == "UpdateAlias" else name
        if body.get("RevisionId") not in (None, self._revisions[key]):
            return error(412, "PreconditionFailedException", "the revision id does not match")
        return None

    def _provisioned(self, name: str, qualifier: str) -> Response:
        key = (name, qualifier)
        if key not in self.service.provisioned:
            return error(404, "ProvisionedConcurrencyConfigNotFoundException")
        status = "IN_PROGRESS" if self._looks[f"{key}"] > 0 else self.service.provisioned_status
        self._looks[f"{key}"] -= 1
        return _json(
            {
                "RequestedProvisionedConcurrentExecutions": self.service.provisioned[key],
                "Status": status,
                "StatusReason": "FUNCTION_ERROR_INIT_FAILURE" if status == "FAILED" else "",
            }
        )

    def _all_provisioned(self, name: str, request: Request) -> Response:
        function_arn = f"arn:aws:lambda:{_region(request)}:{ACCOUNT}:function:{name}"
        failed = self.service.provisioned_status == "FAILED"
        configs = [
            {
                "FunctionArn": f"{function_arn}:{qualifier}",
                "RequestedProvisionedConcurrentExecutions": count,
                "AllocatedProvisionedConcurrentExecutions": self.service.allocated.get(
                    (name, qualifier), count
                ),
                "Status": self.service.provisioned_status,
                "StatusReason": "FUNCTION_ERROR_INIT_FAILURE" if failed else "",
            }
            for (function, qualifier), count in self.service.provisioned.items()
            if function == name
        ]
        return _json({"ProvisionedConcurrencyConfigs": configs})

    def _log_groups(self, request: Request) -> Response:
        wanted = json.loads(request.get_data())["logGroupIdentifiers"]
        assert len(wanted) <= 50
        client = self.client("logs", _region(request))
        groups = [
            {**group, "logGroupClass": self.service.log_classes.get(name, "STANDARD")}
            for page in client.get_paginator("describe_log_groups").paginate()
            for group in page["logGroups"]
            if (name := group["logGroupName"]) in wanted
        ]
        return _json({"logGroups": groups})

    def _tagged(self, request: Request) -> Iterator[dict[str, Any]]:
        client = self.client("lambda", _region(request))
        for page in client.get_paginator("list_functions").paginate():
            for function in page["Functions"]:
                arn = function["FunctionArn"]
                tags = client.list_tags(Resource=arn)["Tags"]
                if tags:
                    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
                    yield {"ResourceARN": arn, "Tags": listed}

    def _layer_version(self, arn: str) -> Response:
        client = self.client("lambda", arn.split(":")[3])
        *_, name, version = arn.split(":")
        try:
            found = client.get_layer_version(LayerName=name, VersionNumber=int(version))
        except client.exceptions.ResourceNotFoundException as missing:
            return error(404, "ResourceNotFoundException", str(missing))
        del found["ResponseMetadata"]
        found["Content"]["Location"] = f"{self.url}/layer-content/{name}"
        return _json(found)

    def _of_moto(self, operation: str, name: str, rest: str, request: Request) -> Response:
        response = self._moto.open(
            request.full_path if request.query_string else request.path,
            method=request.method,
            headers=[(key, value) for key, value in request.headers if key != "Content-Length"],
            data=request.get_data(),
        )
        if response.status_code >= 300 or operation not in _CONFIGURATIONS:
            return Response(response.get_data(), response.status_code, response.headers)
        if operation in ("UpdateFunctionConfiguration", "UpdateFunctionCode"):
            self._revisions[name] = str(uuid.uuid4())
            self._looks[name] = self.service.update_looks
        answer = json.loads(response.get_data())
        if operation == "UpdateAlias":
            self._revisions[f"{name}/{rest}"] = str(uuid.uuid4())
            self._looks[f"{(name, answer['Name'])}"] = self.service.provisioned_looks
        if operation in ("GetAlias", "UpdateAlias"):
            answer["RevisionId"] = self._revisions[f"{name}/{rest}"]
        elif operation == "ListFunctions":
            for function in answer["Functions"]:
                self._configured(function)
        elif operation == "PublishVersion":
            self._looks[f"{name}:{answer['Version']}"] = self.service.pending_looks
        elif "FunctionName" in answer:
            self._configured(answer)
            self._pending(answer, looked_at=operation == "GetFunctionConfiguration")
        return _json(answer, response.status_code)

    def _configured(self, function: dict[str, Any]) -> None:
        name = function["FunctionName"]
        function["RevisionId"] = self._revisions[name]
        function.update(self.service.more[name])
        function.update(self.service.more[f"{name}:{function['Version']}"])

    def _pending(self, function: dict[str, Any], looked_at: bool) -> None:
        """The states that pass by being looked at."""
        latest = function["Version"] == "$LATEST"
        key = function["FunctionName"] + ("" if latest else f":{function['Version']}")
        if self._looks[key] > 0:
            function.update({"LastUpdateStatus": "InProgress"} if latest else {"State": "Pending"})
        self._looks[key] -= looked_at


_CONFIGURATIONS = {
    "GetFunctionConfiguration", "UpdateFunctionConfiguration", "UpdateFunctionCode",
    "ListFunctions", "PublishVersion", "GetAlias", "UpdateAlias",
}  # fmt: skip


def _region(request: Request) -> str:
    return str(request.headers["Authorization"].split("/")[2])


def _json(answer: Any, status: int = 200) -> Response:
    return Response(json.dumps(answer), status, content_type="application/json")


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass
