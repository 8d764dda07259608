"""A report's page in a real browser: charts, sorting, dark mode, narrow screens, hostile names."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from coldstart_cli.report.advice.advise import advise
from coldstart_cli.report.figures import Report
from coldstart_cli.report.shown.page import page
from playwright.sync_api import Browser, Page, sync_playwright
from report_figures import BEGIN, Period, function, periods, provisioned, realistic, report

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHORT = 3 * 3600


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        what = f"none of {', '.join(BROWSERS)} is installed"
        pytest.fail(what) if os.environ.get("CI") else pytest.skip(what)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found)
        yield launched
        launched.close()


@pytest.fixture
def complaints() -> list[str]:
    """What went wrong in the browser."""
    return []


@pytest.fixture
def opened(browser: Browser, tmp_path: Path, complaints: list[str]) -> Iterator[object]:
    """Opens a report; whatever it fetches, prints or asks is a failure."""
    pages = []

    def open_report(figures: Report, width: int = 1280, scheme: str = "light") -> Page:
        target = tmp_path / "report.html"
        target.write_text(page(figures, advise(figures)), encoding="utf-8")
        one = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(one)
        one.on("console", lambda message: complaints.append(f"console: {message.text}"))
        one.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        one.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        one.on("request", lambda request: complaints.append(f"request: {request.url}"))
        one.goto(target.as_uri())
        complaints.remove(f"request: {target.as_uri()}")
        one.wait_for_load_state()
        return one

    yield open_report
    for one in pages:
        one.close()
    assert [line for line in complaints if line != "request: data:,"] == []


def names(page: Page) -> list[str]:
    return page.locator("tbody tr:visible th a").all_inner_texts()


WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN_ALL = "for (const one of document.querySelectorAll('details')) one.open = true"


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("number", [0, 1, 20])
def test_nothing_is_wider_than_the_screen(opened, width: int, number: int) -> None:
    long = function("w" * 300, starts={"k" * 200: 1}, contradictions={"c" * 200: 1})
    figures = realistic(number)
    if number:
        figures = report(*figures.functions, long, gaps=("g" * 300,))
    page = opened(figures, width)
    page.evaluate(OPEN_ALL)
    assert page.evaluate(WIDER) == 0


# Of every text that is seen: its ratio of contrast ("Contrast (Minimum)", WCAG 2.2), and its words.
CONTRASTS = """() => {
  const rgb = (color) => (color.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((value) => value / 255).map((value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = rgb(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3)
      .map((node) => node.data.trim()).join("");
    if (!text || ["SCRIPT", "STYLE", "title"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const color = element instanceof SVGElement ? style.fill : style.color;
    found.push([ratio(rgb(color), behind(element)), text]);
  }
  const root = getComputedStyle(document.documentElement);
  const probe = document.body.appendChild(document.createElement("i"));
  for (const name of NAMES) {
    probe.style.color = root.getPropertyValue("--" + name);
    found.push([ratio(rgb(getComputedStyle(probe).color), behind(document.body)), "--" + name]);
  }
  return found;
}"""
FILLS = ["cold", "restore", "reinit", "provisioned", "proactive", "managed", "other", "bar"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_bars_stand_out(opened, scheme: str) -> None:
    page = opened(realistic(6), scheme=scheme)
    page.evaluate(OPEN_ALL)
    found = page.evaluate(CONTRASTS.replace("NAMES", str(FILLS)))
    assert len(found) > 200
    texts = [(round(ratio, 2), text) for ratio, text in found if not text.startswith("--")]
    assert [one for one in texts if one[0] < 4.5] == []
    # "Non-text Contrast" (ibid.).
    fills = [(round(ratio, 2), text) for ratio, text in found if text.startswith("--")]
    assert [one for one in fills if one[0] < 3] == []


def test_dark_mode_is_dark_and_paper_is_white(opened) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    assert opened(realistic(2)).evaluate(background) == "rgb(255, 255, 255)"
    dark = opened(realistic(2), scheme="dark")
    assert dark.evaluate(background) == "rgb(13, 17, 23)"
    dark.emulate_media(media="print")
    assert dark.evaluate(background) == "rgb(255, 255, 255)"


def test_bars_are_drawn_as_high_as_their_figures(opened) -> None:
    hours = periods({"cold": 40, "provisioned": 20}, {"cold": 20}, {})
    allocated = [Period(BEGIN, 3600, 0, 0, {}, 4.0), Period(BEGIN + 3600, 3600, 0, 0, {}, 2.0)]
    page = opened(
        report(function(periods=hours), function("other", periods=tuple(allocated)), seconds=SHORT)
    )
    starts = page.locator("#all svg[aria-label^='Starts over time']")
    assert starts.locator("g").count() == 3
    height = "element => element.getBoundingClientRect().height"
    cold = starts.locator("rect.k-cold")
    assert cold.count() == 2
    high, low = (cold.nth(at).evaluate(height) for at in (0, 1))
    assert high == pytest.approx(120, abs=0.6)  # 40 of 60, in a plot of 180 pixels
    assert low == pytest.approx(60, abs=0.6)
    ready = starts.locator("rect.k-provisioned")
    assert ready.evaluate(height) == pytest.approx(60, abs=0.6)
    assert starts.locator("g title").nth(0).text_content().endswith("cold 40, provisioned 20")
    rates = page.locator("#all svg[aria-label^='Cold start rate'] rect")
    assert rates.nth(0).evaluate(height) == pytest.approx(2 * rates.nth(1).evaluate(height), abs=1)
    amounts = page.locator("#all svg[aria-label^='Provisioned concurrency'] rect")
    assert [round(amounts.nth(at).evaluate(height) / 27.5) for at in (0, 1)] == [4, 2]


def test_the_distribution_of_inits(opened) -> None:
    chart = opened(report(function())).locator("svg[aria-label^='Init Duration of orders']")
    assert chart.locator("rect").count() == 4
    assert chart.locator("text.marked").all_text_contents() == [
        "p50 480 ms",
        "p95 900 ms",
        "p99 1,400 ms",
    ]
    assert "p50 480, p95 900, p99 1,400 ms" in chart.get_attribute("aria-label")
    width = chart.evaluate("element => element.getBoundingClientRect().width")
    left = chart.locator("rect").nth(1).evaluate("element => element.getBBox().x")
    assert left == pytest.approx(width / 4, abs=1)


def test_the_table_is_sorted_by_any_column(opened) -> None:
    page = opened(
        report(
            function("b", invocations=900),
            function("a", invocations=5_000, provisioned=provisioned(10.0, 5.0, 3)),
            function("c", invocations=70, provisioned=provisioned(10.0, 5.0, 40)),
        )
    )
    by = {text: page.locator("thead button", has_text=text) for text in ("invoc", "func", "spill")}
    by["invoc"].click()
    assert names(page) == ["a", "b", "c"]
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    by["invoc"].click()
    assert names(page) == ["c", "b", "a"]
    by["func"].press("Enter")
    assert names(page) == ["a", "b", "c"]
    assert page.locator("th[aria-sort='ascending'] button").inner_text() == "function"
    by["spill"].click()
    assert names(page) == ["c", "a", "b"]
    by["spill"].click()
    assert names(page) == ["a", "c", "b"], "what is not known stays last"


def test_the_table_is_searched_and_leads_to_the_function(opened) -> None:
    page = opened(realistic(8))
    page.locator("#search").fill("PAYMENTS")
    assert names(page) == ["payments-prod-001"]
    assert page.locator("#found").inner_text() == "1 shown"
    page.locator("tbody a:visible").click()
    opened_one = page.locator("details.one[open]")
    assert opened_one.count() == 1
    assert opened_one.locator("summary").inner_text().startswith("payments-prod-001")


def test_hostile_names_do_not_run(opened) -> None:
    hostile = (
        "<script>alert(1)</script>",
        "'\"><img src=x onerror=alert(1)>",
        "</title></style></script><svg onload=alert(1)>",
        "javascript:alert(1)",
    )
    page = opened(
        report(
            *(
                function(
                    name, region=name, runtime=name, starts={name: 3}, periods=periods({name: 3})
                )
                for name in hostile
            ),
            gaps=hostile,
        )
    )
    assert sorted(names(page)) == sorted(hostile)
    page.evaluate(OPEN_ALL)
    page.locator("thead button").first.click()
    for name in hostile:
        page.locator("tbody a", has_text=name).first.click()
        assert page.get_by_text(name).first.is_visible()
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 0


def test_a_reader_of_the_screen_has_names_for_all(opened) -> None:
    page = opened(realistic(4))
    assert page.locator("svg[role=img]:not([aria-label])").count() == 0
    assert page.locator("thead th:not([scope=col])").count() == 0
    assert page.locator("tbody tr th[scope=row]").count() == 4
    assert page.get_by_role("searchbox", name="Search").count() == 1
    assert page.get_by_role("region", name="Table of functions").count() == 1
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map((one) => +one.tagName[1])")
    assert levels[0] == 1
    assert all(later - one <= 1 for one, later in itertools.pairwise(levels))
