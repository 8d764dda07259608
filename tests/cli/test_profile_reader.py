"""`coldstart profile`: finds profiles in any log, and says what is damaged."""

from __future__ import annotations

import csv
import io
import json

import pytest
from coldstart_cli import profile
from profile_lines import line, module, told


def as_csv(text: str) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(["2026-11-25 19:00:00.000", text])
    return out.getvalue()


FORMATS = {
    "bare": line(),
    "aws logs tail": f"2026-11-25T19:00:00.000000+00:00 2026/11/25/[$LATEST]a {line()}",
    "aws logs filter-log-events, text": f"EVENTS\t38\t1795\t2026/11/25/[$LATEST]a\t{line()}\t1795",
    "aws logs filter-log-events, JSON": json.dumps({"events": [{"message": line() + "\n"}]}),
    "pretty-printed JSON": f'            "message": {json.dumps(line())},',
    "Logs Insights, CSV": as_csv(line()),
    "CSV of JSON": as_csv(json.dumps({"message": line()})),
    "with spaces": line().replace("{", "{ ", 1),
    "JSON of JSON of JSON": json.dumps([json.dumps([json.dumps({"message": line()})])]),
    "JSON of JSON": json.dumps({"Records": [json.dumps({"message": line()})]}),
    "compact JSON": json.dumps(told(), separators=(",", ":")),
    "JSON log format of Lambda": json.dumps({"timestamp": "…", "message": told()}),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name: str) -> None:
    found = profile.read(["START RequestId: 1", FORMATS[name], "END"])
    assert found.unreadable == []
    (start,) = found.starts
    assert (start.function, start.init_ms, len(start.init.modules)) == ("orders", 150.0, 3)


def test_several_in_one_line() -> None:
    other = line(function_name="payments")
    events = json.dumps({"events": [{"message": line()}, {"message": other}]})
    found = profile.read([events])
    assert [start.function for start in found.starts] == ["orders", "payments"]
    assert found.unreadable == []


def test_a_first_invocation_goes_with_its_own_start() -> None:
    first = "first invocation"
    lines = [
        line(log_stream="a"),
        line(log_stream="b", init_ms=200.0),
        line(first, log_stream="a", modules=[module("late", 0, 3.0, 3.0)]),
        line(first, log_stream="c"),
    ]
    a, b = profile.read(lines).starts
    assert a.first_invocation is not None
    assert a.first_invocation.modules[0].name == "late"
    assert b.first_invocation is None


TOGETHER = {
    "one after the other": line() + line(),
    "behind one that is cut short": line()[:300] + line() + line(),
    "events": json.dumps([{"message": line()[:300]}, {"message": line()}, {"message": line()}]),
    "among many others": json.dumps(
        [*[{"message": json.dumps({"level": "INFO"})}] * 2000, {"message": line()}, line()]
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_each_good_one_in_a_line_is_found(name: str) -> None:
    found = profile.read([TOGETHER[name]])
    assert len(found.starts) == 2
    assert len(found.unreadable) == ("cut" in name or "events" in name)


def test_a_line_of_nothing_but_beginnings() -> None:
    """It takes a second, and not minutes."""
    found = profile.read(['{\\"coldstart_profile' * 10_000, line()])
    assert len(found.starts) == 1


DAMAGED = {
    "cut short": line()[:200],
    "no modules": json.dumps({"coldstart_profile": "init"}),
    "wrong types": line(modules={"name": "app"}),
    "a number that is none": line(init_ms="soon"),
    "not a number": line().replace("150.0", "NaN"),
    "infinite": line().replace("150.0", "Infinity"),
    "negative": line(init_ms=-5.0),
    "an odd depth": line(modules=[module("app", -3, 1.0, 1.0)]),
    "null": line(modules=None),
    "a huge number": line().replace("150.0", "1" * 400),
    "infinitely many": line().replace('"modules": 7', '"modules": Infinity'),
    "nested without end": '{"coldstart_profile": "init", "x": ' + "[" * 100_000,
    "a size that is none": line(modules=[{**module("app", 0, 1.0, 1.0), "bytes": "large"}]),
    "a part of nothing": line(modules=[module("app", 0, 1.0, 1.0), module("b", 2, 1.0, 1.0)]),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_lines_are_named_and_others_are_kept(name: str) -> None:
    found = profile.read([line(), DAMAGED[name], line()])
    assert len(found.starts) == 2
    (complaint,) = found.unreadable
    assert complaint.startswith("line 2 has a profile that is cut off or damaged: ")
    assert "\n" not in complaint


def test_lines_that_only_mention_it() -> None:
    found = profile.read(["what is coldstart_profile?", '{"message": "coldstart_profile"}', "\0\1"])
    assert (found.starts, found.unreadable) == ([], [])
