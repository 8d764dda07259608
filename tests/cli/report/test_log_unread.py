"""Shapes of AWS's tools that are read; what looks like reports in others is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from coldstart_cli.report.figures import Report
from coldstart_cli.report.log_files.report import report_of_log_files
from log_exports import BEGIN, emf, iso, report

# As GetLogEvents gives them, in this order of keys.
EVENTS: list[dict[str, Any]] = [
    {"timestamp": round(BEGIN * 1000) + 1000 * n, "message": message, "ingestionTime": 1}
    for n, message in enumerate(
        [emf("e0", BEGIN), report("e0", init=200.0), *(report(f"e{n}") for n in range(1, 300))]
    )
]


def read(folder: Path, text: str) -> Report:
    (folder / "a.log").write_text(f"{iso(BEGIN)} {report('good')}\n")
    (folder / "b").write_text(text)
    return report_of_log_files([folder], functions=["orders"])


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(EVENTS, indent=4),
        json.dumps(EVENTS),
        "\n".join(json.dumps(event) for event in EVENTS),
        json.dumps({"ResponseMetadata": {"RequestId": "x"}, "events": EVENTS}),
        json.dumps(
            {
                "ResponseMetadata": {"RequestId": "x"},
                "results": [
                    [
                        {"field": "@timestamp", "value": "2026-11-25 10:00:00.000"},
                        {"field": "@message", "value": event["message"]},
                    ]
                    for event in EVENTS
                ],
            }
        ),
    ],
    ids=["query-events", "one-line", "jq-events", "boto3-events", "boto3-results"],
)
def test_events_as_they_are(text: str, tmp_path: Path) -> None:
    result = read(tmp_path, text)
    (function,) = result.functions
    assert (function.invocations, function.starts, result.gaps) == (301, {"cold": 1}, ())


@pytest.mark.parametrize(
    "text",
    [
        "@timestamp,@message\n"
        + "".join(f'2026-11-25 10:00:00.000,"{one["message"]}"\n' for one in EVENTS),
        "".join(f"2026-11-25 10:00:01,000 {one['message']}\n" for one in EVENTS),
        json.dumps({"mine": EVENTS}),  # in one line, which is long
        json.dumps({"mine": EVENTS}, indent=1),
    ],
    ids=["insights-csv", "another-prefix", "own-json", "own-json-indented"],
)
def test_what_looks_like_reports_and_is_not_read(text: str, tmp_path: Path) -> None:
    result = read(tmp_path, text)
    (function,) = result.functions
    assert (function.invocations, function.partial) == (1, True)
    (gap,) = [gap for gap in result.gaps if "no line of the layer" not in gap]
    assert gap.startswith(f"{tmp_path}/b: lines that look like Lambda's reports: ")


def test_functions_that_log_json_with_these_keys(tmp_path: Path) -> None:
    """Such a file is lines, not a document of events."""
    own = json.dumps({"timestamp": 1795600000000, "message": "mine", "level": "INFO"})
    result = read(tmp_path, f"{own}\nSTART RequestId: x\n{report('x')}\n")
    assert (result.functions[0].invocations, result.functions[0].partial) == (2, False)
