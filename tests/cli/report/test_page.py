"""A report as an HTML page, as text: it stands alone, shows names as they are, and is small."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from coldstart_cli.report.advice.advise import advise
from coldstart_cli.report.figures import Distribution, Period, Report
from coldstart_cli.report.shown import charts
from coldstart_cli.report.shown.page import page
from report_figures import BEGIN, DAY, WEEK, function, periods, realistic, report

HOSTILE = (
    "<script>alert('x')</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}",
    "é中文🙂‮" + "a" * 300,
    "javascript:alert(1)",
)


class Page(HTMLParser):
    """What a browser would fetch from elsewhere, and what it would show."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def made(figures: Report) -> str:
    return page(figures, advise(figures))


def test_the_page_stands_alone() -> None:
    text = made(realistic(3))
    found = Page(text)
    assert all(link.startswith("#f") or link == "data:," for link in found.links)
    assert "http" not in text.replace("http-equiv", "")
    assert text.count("url(") == text.count("url(#p-")
    assert "@import" not in text
    assert found.tags.count("script") == 1
    assert "default-src 'none'" in text


def test_hostile_names_are_text() -> None:
    figures = report(
        *(
            function(
                name, region=name, runtime=name, starts={name: 3}, contradictions={name: 2},
                periods=periods({name: 3}),
            )
            for name in HOSTILE
        ),
        gaps=HOSTILE,
    )  # fmt: skip
    found = Page(made(figures))
    assert found.tags.count("script") == 1
    assert "img" not in found.tags
    assert found.handlers == []
    for name in (*HOSTILE[:4], HOSTILE[5]):
        assert name in found.text
    assert "é中文🙂\N{REPLACEMENT CHARACTER}aaa" in found.text


def test_what_cannot_be_encoded_or_moves_the_cursor_is_made_visible() -> None:
    text = made(report(function("s\udcff\x1b[2J")))
    text.encode()
    assert "s\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[2J" in Page(text).text


def test_gaps_come_first() -> None:
    text = Page(made(report(function(), gaps=("2 of 7 days are missing",)))).text
    assert text.index("2 of 7 days are missing") < text.index("invocations")


def test_five_hundred_functions_are_small() -> None:
    text = made(realistic(500))
    assert len(text.encode()) < 2_000_000
    found = Page(text)
    assert found.tags.count("tr") == 501
    assert found.tags.count("svg") > 500
    assert "first 10 of the table" in found.text
    assert "first 50 functions" in found.text


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        (report(), "No function was found"),
        (report(function(periods=periods({}, {}))), "There was no line of a start."),
        (report(function(periods=periods({}, invocations=0))), "Nothing was invoked, or"),
        (report(function(periods=periods({"cold": 1}))), "its metrics were not read"),
        (report(function(init=None)), "No distribution: there were no REPORT lines"),
        (report(function(concurrency=None)), "Nothing that these figures support."),
    ],
    ids=["no function", "no start", "no invocation", "no metrics", "no init", "no advice"],
)
def test_what_is_not_there_is_said(figures: Report, told: str) -> None:
    assert told in Page(made(figures)).text


def test_bars_are_as_high_as_their_starts() -> None:
    steps = periods({"cold": 30, "provisioned": 10}, {}, {"cold": 15})
    chart = charts.starts_chart(steps, BEGIN, BEGIN + 3 * 3600, 200.0)
    heights = [[round(piece.height, 6) for piece in bar.pieces] for bar in chart.bars]
    assert heights == [[150, 50], [], [75]]
    assert [piece.y for piece in chart.bars[0].pieces] == [50, 0]
    assert [tick.label for tick in chart.across] == ["0", "20", "40"]
    assert [bar.x for bar in chart.bars] == pytest.approx([0, 100 / 3, 200 / 3])
    assert chart.kinds == ("cold", "provisioned")
    large = charts.starts_chart(periods({"cold": 1_000_000}), BEGIN, BEGIN + 3600, 200.0)
    assert [tick.label for tick in large.across] == ["0", "500,000", "1,000,000"]


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (600, ["11:10", "11:15"]),
        (DAY, ["12:00", "15:00", "18:00", "21:00", "00:00", "03:00", "06:00", "09:00"]),
        (WEEK, ["11-19", "11-20", "11-21", "11-22", "11-23", "11-24", "11-25"]),
        (90 * DAY, ["12-03", "01-02", "02-01"]),
    ],
)
def test_times_are_round(seconds: int, labels: list[str]) -> None:
    chart = charts.starts_chart(periods({"cold": 1}), BEGIN, BEGIN + seconds, 100.0)
    assert [tick.label for tick in chart.along] == labels


def test_periods_are_added_up_and_provisioned_concurrency_is_the_most_at_once() -> None:
    def at(hour: int, amount: float | None) -> Period:
        return Period(BEGIN + hour * 3600, 3600, 10, 1, {"cold": 1}, amount)

    two = [*(at(hour, 2.0 + hour) for hour in range(168)), *(at(hour, 1.0) for hour in range(168))]
    merged = charts.merged(two, BEGIN, BEGIN + WEEK)
    assert len(merged) == 56
    assert {one.seconds for one in merged} == {3 * 3600}
    assert sum(one.invocations for one in merged) == 3360
    assert merged[0].starts == {"cold": 6}
    assert merged[0].provisioned_concurrency == 5.0
    (one,) = charts.merged([at(0, None)], BEGIN, BEGIN + 3600)
    assert one.provisioned_concurrency is None


def test_rates_are_of_invocations_and_none_where_there_were_none() -> None:
    busy = Period(BEGIN, DAY, 200, 3, {"cold": 3})
    idle = Period(BEGIN + DAY, DAY, 0, 0, {})
    chart = charts.rate_chart([busy, idle], BEGIN, BEGIN + 2 * DAY, 100.0)
    (bar,) = chart.bars
    assert "1.50%, 3 of 200" in bar.label
    assert [tick.label for tick in chart.across][0::3] == ["0%", "1.5%"]
    assert bar.pieces[0].height == pytest.approx(100)


def test_a_function_that_was_not_read_whole_has_no_rate() -> None:
    hours = periods({"cold": 5})
    text = Page(made(report(function(partial=True, periods=hours)))).text
    assert "Nothing was invoked, or not all of its starts are known." in text
    assert "not all lines of 1 were read" in text
    assert "≥2,010 cold starts, -" in text


def test_percentiles_are_marked_in_their_bins() -> None:
    """Bins may be of any width: each has the same place, and a mark lies within its own."""
    bins = ((100.0, 200.0, 8), (200.0, 400.0, 4), (400.0, 800.0, 0), (800.0, 1600.0, 2))
    chart = charts.durations_chart(Distribution(14, 150.0, 300.0, 1600.0, 1600.0, 1.0, bins), 80.0)
    assert chart is not None
    assert [mark.at for mark in chart.marks] == [12.5, 37.5, 100.0]
    assert [mark.label for mark in chart.marks] == ["p50 150 ms", "p95 300 ms", "p99 1,600 ms"]
    assert [bar.x for bar in chart.bars] == [0, 25, 75]
    assert [round(bar.pieces[0].height / 80 * 10) for bar in chart.bars] == [8, 4, 2]
    assert [tick.label for tick in chart.along] == ["100", "200", "400", "800", "1,600"]
    assert charts.durations_chart(Distribution(1, 1.0, 1.0, 1.0, 1.0, 1.0), 80.0) is None


def test_many_bins_become_fewer_and_none_is_lost() -> None:
    bins = tuple((float(low), float(low + 1), 1) for low in range(100))
    chart = charts.durations_chart(Distribution(100, 5.0, 9.0, 9.0, 100.0, 1.0, bins), 80.0)
    assert chart is not None
    assert len(chart.bars) == 17
    assert sum(int(bar.label.rpartition(": ")[2]) for bar in chart.bars) == 100
