"""From what the runtime tells of a process to the ``Start`` of an invocation, without a process."""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from coldstart_layer import current, invocations
from coldstart_layer.invocations import Invocations, has_extension
from coldstart_layer.settings import Settings
from hypothesis import given
from hypothesis import strategies as st

BEGAN = 1_700_000_000.0


def born_at(event: object) -> float | None:
    return invocations.born_at(event, json.JSONDecoder().raw_decode)


@dataclass
class Request:
    """What ``wait_next_invocation`` returns, as far as the layer looks at it."""

    invoke_id: str | None = "request"
    x_amzn_trace_id: object = None
    event_body: object = b"{}"


class Process:
    """One runtime process, its clock in our hands."""

    def __init__(self, monkeypatch, initialization_type: str, restarted: bool = False) -> None:
        self.now = BEGAN
        self.metrics: list[dict[str, Any]] = []
        self.init_spans: list[object] = []
        monkeypatch.setattr(invocations, "now", lambda: self.now)
        monkeypatch.setattr(invocations, "has_extension", lambda: self.extension)
        self.extension = True
        environ = {"AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type, "COLDSTART_LOGS": "off"}
        self.invocations = Invocations(Settings(environ), BEGAN, restarted, None)
        self.invocations.attached()
        self.invocations._output.write_line = lambda line: self.metrics.append(json.loads(line))
        self.invocations._annotate = lambda start, trace, span: self.init_spans.append(span)

    def ready(self, after: float) -> None:
        self.now = BEGAN + after
        self.invocations.awaited()

    def invoked(self, after: float, **request: object):
        """An event that comes so many seconds after the process was ready."""
        self.now = self.invocations._ready_at + after
        header = "Root=1-00000001-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
        self.invocations.invoked(Request(**{"x_amzn_trace_id": header, **request}))
        return current()


@pytest.fixture
def process(monkeypatch):
    return lambda *arguments, **options: Process(monkeypatch, *arguments, **options)


def test_cold_start_spans_its_init(process) -> None:
    it = process("on-demand")
    it.ready(after=0.25)
    start = it.invoked(after=0.01)
    assert (start.start_type, start.init_duration_ms) == ("cold", 250.0)
    assert it.metrics[0]["idle_ms"] == 10.0
    assert it.init_spans == [(BEGAN, BEGAN + 0.25)]


@pytest.mark.parametrize(
    ("initialization_type", "start_type"),
    [
        ("provisioned-concurrency", "provisioned"),
        ("lambda-managed-instances", "managed"),
        ("on-demand", "proactive"),
    ],
)
def test_an_init_that_was_before_the_request(process, initialization_type, start_type) -> None:
    it = process(initialization_type)
    it.ready(after=0.25)
    start = it.invoked(after=3600)
    assert (start.start_type, start.cold_start, start.init_duration_ms) == (start_type, False, 250)
    assert it.metrics[0]["idle_ms"] == 3_600_000.0
    assert it.init_spans == [None]


def test_a_restore(process) -> None:
    """The runtime asks for an event after it: what was before is not this request's."""
    it = process("snap-start")
    it.ready(after=3600)
    start = it.invoked(after=0.5)
    assert (start.start_type, start.init_duration_ms, start.sequence) == ("restore", None, 1)
    assert it.metrics[0]["idle_ms"] == 500.0
    assert it.init_spans == [None]


def test_reinit_under_snap_start_has_an_init_of_its_own(process) -> None:
    it = process("snap-start", restarted=True)
    it.ready(after=0.25)
    start = it.invoked(after=0.01)
    assert (start.start_type, start.init_duration_ms) == ("reinit", 250.0)
    assert it.init_spans == [(BEGAN, BEGAN + 0.25)]


def test_a_clock_that_was_set_back(process) -> None:
    """No duration is better than a negative one."""
    it = process("on-demand")
    it.ready(after=-5)
    start = it.invoked(after=-5)
    assert (start.start_type, start.init_duration_ms) == ("cold", None)
    assert "idle_ms" not in it.metrics[0]
    assert it.init_spans == [None]


def test_later_invocations(process) -> None:
    it = process("on-demand")
    it.ready(after=0.25)
    it.invoked(after=0)
    for sequence in (2, 3):
        it.invocations.awaited()
        start = it.invoked(after=3600, invoke_id=f"request {sequence}")
        assert (start.start_type, start.cold_start, start.sequence) == ("warm", False, sequence)
        assert (start.init_duration_ms, start.request_id) == (None, f"request {sequence}")
    assert len(it.metrics) == 1
    assert it.init_spans == [(BEGAN, BEGAN + 0.25), None, None]


def test_readiness_is_when_the_runtime_first_asks(process) -> None:
    """One whose call for an event failed asks again."""
    it = process("on-demand")
    it.ready(after=1)
    it.ready(after=60)
    start = it.invoked(after=0)
    assert start.init_duration_ms == 1000.0


@pytest.mark.parametrize(("extension", "start_type"), [(True, "cold"), (False, "proactive")])
def test_an_extension_can_hold_back_the_first_event(process, extension, start_type) -> None:
    it = process("on-demand")
    it.extension = extension
    it.ready(after=1)
    assert it.invoked(after=3).start_type == start_type


@pytest.mark.parametrize(("after_ready_ms", "start_type"), [(-500, "cold"), (1, "proactive")])
def test_the_event_says_when_the_request_was_received(process, after_ready_ms, start_type) -> None:
    it = process("on-demand")
    it.ready(after=1)
    received = int((BEGAN + 1) * 1000) + after_ready_ms
    event = json.dumps({"requestContext": {"timeEpoch": received}}).encode()
    assert it.invoked(after=0.9, event_body=event).start_type == start_type


def test_a_failure_leaves_no_verdict_of_an_earlier_invocation(process) -> None:
    it = process("on-demand")
    it.ready(after=1)
    it.invoked(after=0)
    with pytest.raises(AttributeError):
        it.invocations.invoked(object())
    assert current() is None


# As the developer guides show them, cut down.
HTTP_API = {
    "version": "2.0",
    "routeKey": "$default",
    "headers": {"header1": "value1"},
    "requestContext": {
        "accountId": "123456789012",
        "authentication": None,
        "http": {"method": "POST", "userAgent": "agent"},
        "requestId": "id",
        "time": "12/Mar/2020:19:03:58 +0000",
        "timeEpoch": 1583348638390,
    },
    "body": "Hello from Lambda",
    "isBase64Encoded": False,
}
REST_API = {
    "resource": "/",
    "headers": {"header1": "value1"},
    "requestContext": {
        "accountId": "123456789012",
        "identity": {"accessKey": None, "sourceIp": "192.0.2.1"},
        "requestTime": "04/Mar/2020:19:15:17 +0000",
        "requestTimeEpoch": 1583349317135,
        "stage": "$default",
    },
    "body": "Hello from Lambda!",
}
WEB_SOCKET = {
    "requestContext": {
        "routeKey": "$default",
        "eventType": "MESSAGE",
        "connectedAt": 1583349317000,
        "requestTimeEpoch": 1583349317135,
    },
    "body": "hello",
}
BORN = {
    "HTTP API": (HTTP_API, 1583348638.390),
    "REST API": (REST_API, 1583349317.135),
    "WebSocket API": (WEB_SOCKET, 1583349317.135),
}


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" ,\n ", " :\t ")])
@pytest.mark.parametrize("name", BORN)
def test_when_a_request_was_received(name: str, separators: tuple[str, str]) -> None:
    event, epoch = BORN[name]
    assert born_at(json.dumps(event, separators=separators).encode()) == epoch


def context(text: str) -> bytes:
    return b'{"requestContext": {' + text.encode() + b"}}"


@pytest.mark.parametrize(
    "event",
    [
        None,
        "a string",
        b"",
        b"{}",
        b'{"timeEpoch": 1583348638390}',  # of somebody's own
        context(""),
        context('"timeEpoch": "1583348638390"'),
        context('"timeEpoch": null'),
        context('"timeEpoch": 158334863839'),
        context('"timeEpoch": 15833486383901'),
        context('"timeEpoch": -1583348638390'),
        context('"timeEpoch": 1583348638390e5'),
        context('"timeEpoch": 1583348638390.5'),
        context('"timeEpoch": true'),
        context('"authorizer": {"lambda": {"timeEpoch": 1583348638390}}'),  # somebody's own, too
        b'{"requestContext": {"elb": {}}, "order": {"timeEpoch": 1583348638390}}',
        b'{"requestContext": ' + b"[" * 9000,
        b'{"requestContext": ' + b'{"a":' * 9000,
        context('"timeEpoch"'),
        context('"timeEpoch":'),
        context('"x": "timeEpoch", "1583348638390": 1'),
        b'{"a": "' + b"x" * 65536 + b'", "requestContext": {"timeEpoch": 1583348638390}}',
        b'{"requestContext": {"a": "' + b"x" * 65536 + b'", "timeEpoch": 1583348638390}}',
    ],
)
def test_events_that_do_not_say(event: object) -> None:
    assert born_at(event) is None


def test_what_an_authorizer_adds_does_not_stand_in_for_it() -> None:
    added = {"lambda": {"timeEpoch": 1, "requestTimeEpoch": 1583348630000}}
    event = {"requestContext": {"authorizer": added, **HTTP_API["requestContext"]}}
    assert born_at(json.dumps(event).encode()) == 1583348638.390


def test_names_that_a_client_sends_before_the_right_one() -> None:
    event = {
        "queryStringParameters": {"requestContext": "x", "timeEpoch": "1", "requestTimeEpoch": "2"},
        **HTTP_API,
    }
    assert born_at(json.dumps(event).encode()) == 1583348638.390


hostile = st.text(
    st.sampled_from('"\\:, {}[]timeEpochrequestContext0123456789\n')
) | st.sampled_from(
    [
        '"requestContext": {"timeEpoch": 1583348638390}',
        '"}, "requestContext": {"requestTimeEpoch": 1583348638390, "x": "',
        '\\"timeEpoch\\": 1583348638390',
    ]
)


@given(
    st.dictionaries(hostile, hostile | st.lists(hostile)),
    st.dictionaries(hostile, hostile),
    hostile,
)
def test_no_text_of_a_client_is_taken_for_it(headers, parameters, body) -> None:
    """Whatever a client sends stands in strings, as names and values of JSON."""
    event = {
        "headers": headers,
        "requestContext": {"http": {"path": body, "userAgent": body}, "queries": parameters},
        "body": body,
    }
    assert born_at(json.dumps(event).encode()) is None
    assert born_at(json.dumps(event, ensure_ascii=False).encode()) is None
    event["requestContext"]["timeEpoch"] = 1583348638390
    assert born_at(json.dumps(event).encode()) == 1583348638.390


def test_extensions(tmp_path: Path, monkeypatch) -> None:
    """A file in the folder is one; a folder in it is none."""
    monkeypatch.setattr(invocations, "_EXTENSIONS", str(tmp_path / "extensions"))
    assert has_extension() is False
    (tmp_path / "extensions").mkdir()
    assert has_extension() is False
    (tmp_path / "extensions/helpers").mkdir()
    assert has_extension() is False
    (tmp_path / "extensions/agent").touch()
    assert has_extension() is True


def test_extensions_that_cannot_be_seen(monkeypatch) -> None:
    """Then there may be one."""

    def refuse(_path: str) -> None:
        raise PermissionError(errno.EACCES, "refused")

    monkeypatch.setattr(invocations.os, "scandir", refuse)
    assert has_extension() is True
