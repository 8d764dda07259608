"""The dashboard of template.yaml: valid, complete, and of metrics that there are."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import cloudformation
import pytest
import written_metrics
from conftest import ROOT

TEMPLATE = cloudformation.read(ROOT / "template.yaml")
# classify() has each of them; warm starts are not written as metrics.
START_TYPES = {"cold", "restore", "reinit", "provisioned", "proactive", "managed"}
SEARCH = re.compile(
    r"SEARCH\('\{(?P<namespace>[^,}]+),(?P<dimensions>[^}]+)\} MetricName=\"(?P<name>\w+)\""
    r"(?: start_type=\"(?P<start_type>\w+)\")?', '(?P<stat>\w+)', 300\)"
)
STATISTICS = {"Sum", "SampleCount", "Maximum", "p50", "p95", "p99"}


@pytest.fixture(scope="module")
def body() -> dict[str, Any]:
    dashboard = TEMPLATE["Resources"]["Dashboard"]
    resolved = cloudformation.resolve(TEMPLATE | {"Resources": {"Dashboard": dashboard}})
    properties = resolved["Dashboard"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", properties["DashboardName"])
    return json.loads(properties["DashboardBody"])


@pytest.fixture(scope="module")
def rows(body) -> list[list[Any]]:
    """Every row of every graph."""
    return [
        row
        for widget in body["widgets"]
        if widget["type"] == "metric"
        for row in widget["properties"]["metrics"]
    ]


def searches(rows: list[list[Any]]) -> list[re.Match[str]]:
    expressions = [row[0]["expression"] for row in rows if isinstance(row[0], dict)]
    found = [match for text in expressions for match in SEARCH.finditer(text)]
    assert len(found) == sum(text.count("SEARCH(") for text in expressions)
    return found


def test_every_metric_is_written_by_the_layer_or_by_lambda(rows) -> None:
    for row in rows:
        if not isinstance(row[0], dict):
            namespace, name, *dimensions, _ = row
            assert written_metrics.is_written(namespace, name, set(dimensions[::2])), row
            assert row[-1]["stat"] in STATISTICS
    for found in searches(rows):
        dimensions = set(found["dimensions"].split(","))
        assert written_metrics.is_written(found["namespace"], found["name"], dimensions)
        assert found["stat"] in STATISTICS
        assert ("start_type" in dimensions) == (found["start_type"] is not None)


def test_every_start_type_is_shown_for_all_functions_and_for_one(rows) -> None:
    assert {found["start_type"] for found in searches(rows)} == START_TYPES | {None}
    of_one = {row[row.index("start_type") + 1] for row in rows if "start_type" in row}
    assert of_one == START_TYPES


def test_expressions_name_metrics_of_their_own_graph(body) -> None:
    for widget in body["widgets"]:
        metrics = widget["properties"].get("metrics", [])
        ids = [row[-1]["id"] for row in metrics if "id" in row[-1]]
        assert len(set(ids)) == len(ids)
        for row in metrics:
            expression = SEARCH.sub("", row[0]["expression"]) if isinstance(row[0], dict) else ""
            assert set(re.findall(r"[a-z]\w*", expression)) <= set(ids), expression


def test_widgets_fit_beside_each_other(body) -> None:
    cells = [
        {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        for widget in body["widgets"]
    ]
    for first, second in itertools.combinations(cells, 2):
        assert not first & second
    every = set().union(*cells)
    assert every == {(x, y) for x in range(24) for y in range(max(y for _, y in every) + 1)}


def test_it_is_of_the_region_it_is_deployed_to(body) -> None:
    regions = {widget["properties"].get("region") for widget in body["widgets"]}
    assert regions == {cloudformation.REGION, None}
    source = (ROOT / "template.yaml").read_text() + (ROOT / "alarms.yaml").read_text()
    assert re.findall(r"\b[a-z]{2}-[a-z]+-\d\b|\b\d{12}\b", source) == []


def test_a_chosen_function_takes_the_place_of_the_variable(body) -> None:
    """As the console does it, by search and replace in the whole body."""
    (variable,) = body["variables"]
    assert SEARCH.fullmatch(f"SEARCH('{variable['search']}', 'Sum', 300)")
    assert variable["populateFrom"] == "function_name"
    chosen = json.loads(json.dumps(body["widgets"]).replace(variable["pattern"], "orders"))
    functions = {
        row[row.index(name) + 1]
        for widget in chosen
        for row in widget["properties"].get("metrics", [])
        for name in ("function_name", "FunctionName")
        if name in row
    }
    assert functions == {"orders"}
