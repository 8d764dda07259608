"""Percentiles are measured values, and every value is in one bucket of the histogram."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from coldstart_cli.report.distribution import distribution
from hypothesis import given
from hypothesis import strategies as st

durations = st.floats(min_value=0, max_value=900_000, allow_nan=False)


@given(st.lists(durations, min_size=1))
def test_as_numpy_has_them(values: list[float]) -> None:
    found = distribution(values)
    assert found is not None
    expected = np.percentile(values, [50, 95, 99, 100], method="inverted_cdf")
    assert [found.p50, found.p95, found.p99, found.max] == list(expected)
    assert found.total == pytest.approx(sum(values))
    assert found.count == sum(count for *_, count in found.histogram) == len(values)
    assert 1 <= len(found.histogram) <= 30
    for begin, end, count in found.histogram:
        assert begin < end
        assert count == sum(begin <= value < end for value in values)
    for one, following in pairwise(found.histogram):
        assert one[1] == following[0]


def test_of_nothing() -> None:
    assert distribution([]) is None
