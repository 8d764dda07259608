"""Many functions in one run, at the pace that is promised."""

from __future__ import annotations

import bisect
import json

from account import OURS

FUNCTIONS = 120  # three pages of them, and some seconds
RATE = 10  # requests a second: the default


def test_many_functions(account) -> None:
    layer = account.layer()
    for number in range(FUNCTIONS):
        account.function(f"f-{number:03}", variables={"NUMBER": str(number)})
    account.server.asked.clear()
    process = account.process("attach", "--all", "--yes", "--json")
    stdout, stderr = process.communicate(timeout=600)
    assert process.returncode == 0, stderr
    assert stderr == ""  # no progress bar where there is no terminal
    outcomes = json.loads(stdout)["functions"]
    assert [one["result"] for one in outcomes] == ["done"] * FUNCTIONS
    times = sorted(asked.at for asked in account.server.asked if asked.at)
    took = times[-1] - times[0]
    busiest = max(
        bisect.bisect_left(times, begin + 1) - number for number, begin in enumerate(times)
    )
    print(f"{len(times)} requests in {took:.1f} s, {busiest} in the busiest second")
    assert len(times) / took <= RATE
    # They take some ms to come, more on a busy machine; this is what Lambda allows.
    assert busiest <= 15
    for number in range(FUNCTIONS):
        expected = {"NUMBER": str(number), "AWS_LAMBDA_EXEC_WRAPPER": OURS}
        assert account.wired(f"f-{number:03}") == ([layer], expected)
