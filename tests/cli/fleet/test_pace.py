"""Requests leave at the pace that is asked for, whatever the threads do."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from coldstart_cli.fleet.access import Access


@pytest.mark.parametrize("rate", [1, 20])
def test_pace(account, monkeypatch, rate: int) -> None:
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    access = Access(endpoint_url=account.server.url, requests_per_second=rate)
    sent: list[float] = []
    client = access.client("lambda", "eu-west-1")
    # Asked after ours, which is there already: the request leaves now.
    client.meta.events.register("before-send", lambda **_: sent.append(time.monotonic()))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: client.list_functions(), range(2 if rate == 1 else 50)))
    sent.sort()
    assert len(sent) - 1 <= rate * (sent[-1] - sent[0]) * 1.1
    in_a_second = [sum(begin <= at < begin + 1 for at in sent) for begin in sent]
    assert max(in_a_second) <= rate + 1  # a thread may wake late
