"""An account to report on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reported_account import Account, account, metrics_service


@pytest.fixture(scope="session")
def metrics_url() -> Iterator[str]:
    with metrics_service() as url:
        yield url


@pytest.fixture
def of(metrics_url: str) -> Iterator[Account]:
    with account(metrics_url) as one:
        yield one
