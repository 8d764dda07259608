"""How often the verdict is wrong: docs/design.md says what the simulation says."""

from __future__ import annotations

import pytest
from conftest import ROOT

from benchmarks import verdict
from benchmarks.verdict import CALLERS, COLD, COLUMNS, LONG, MEDIUM, Tally

API_GATEWAY = ("API Gateway, function URL", "the same, trace by the client")
BY_THE_CALLER = "trace by the caller"


@pytest.fixture(scope="module")
def tallies() -> dict[tuple[str, str], Tally]:
    return verdict.simulate()


def test_the_docs_have_its_table(tallies: dict[tuple[str, str], Tally]) -> None:
    table = verdict.table(tallies)
    header = table.partition("\n")[0]
    _, found, rest = (ROOT / "docs/design.md").read_text().partition(header)
    assert found, "docs/design.md has no such table; python -m benchmarks.verdict prints it"
    assert found + rest.partition("\n\n")[0] + "\n" == table


@pytest.mark.parametrize(
    ("extension", "earlier", "present"),
    [
        ("none", [2.5, 85.2, 44.1, 0.0], [0.0, 61.8, 0.0, 0.0]),
        ("slow, external", [5.8, 45.7, 28.1, 0.0], [2.6, 38.8, 25.5, 0.0]),
        ("slow, internal", [5.8, 45.7, 28.1, 0.0], [81.9, 7.1, 0.0, 0.0]),
    ],
)
def test_totals(
    tallies: dict[tuple[str, str], Tally],
    extension: str,
    earlier: list[float],
    present: list[float],
) -> None:
    """In percent of all kinds of caller, by column."""
    percentages = [tallies[extension, "all"].percentages(column) for column in COLUMNS]
    assert [before for before, _ in percentages] == pytest.approx(earlier, abs=0.1)
    assert [after for _, after in percentages] == pytest.approx(present, abs=0.1)


@pytest.mark.parametrize("extension", ["none", "slow, external"])
@pytest.mark.parametrize("caller", API_GATEWAY)
def test_where_api_gateway_says_when_it_is_never_wrong(
    tallies: dict[tuple[str, str], Tally], extension: str, caller: str
) -> None:
    assert not tallies[extension, caller].present.total()


@pytest.mark.parametrize("caller", sorted(CALLERS.keys() - {BY_THE_CALLER}))
@pytest.mark.parametrize("extension", ["none", "slow, external"])
def test_no_cold_start_is_missed_but_by_a_clock_that_is_ahead(
    tallies: dict[tuple[str, str], Tally], extension: str, caller: str
) -> None:
    assert tallies[extension, caller].present[COLD] == 0


@pytest.mark.parametrize("caller", CALLERS)
def test_without_an_extension_a_second_is_enough(
    tallies: dict[tuple[str, str], Tally], caller: str
) -> None:
    tally = tallies["none", caller]
    assert tally.present[MEDIUM] == tally.present[LONG] == 0
    assert tally.percentages(COLD)[1] < 0.1
