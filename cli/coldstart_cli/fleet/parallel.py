"""Does something for many functions, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

# The pace of the requests is kept elsewhere: this many are waited for at once.
THREADS = 16

# Is told what is being done, how much of it is done, and of how much (0: nobody knows).
Progress = Callable[[str, int, int], None]

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def in_parallel(do: Callable[[Item], Answer], items: Iterable[Item]) -> Iterator[Answer]:
    """The answers, in the order in which they come.

    Interrupted, it begins no more of them, and lets those that are under way come to their end.

    Raises:
        Exception: what ``do`` raises.
    """
    with ThreadPoolExecutor(THREADS) as threads:
        futures = [threads.submit(do, item) for item in items]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def no_progress(_what: str, _done: int, _of: int) -> None:
    """Nobody wants to know."""
