"""Does something for many functions, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TypeVar

# The pace of the requests is kept elsewhere: this many are waited for at once.
THREADS = 16

# Is told what is being done, how much of it is done, and of how much (0: nobody knows).
Progress = Callable[[str, int, int], None]

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def in_parallel(
    do: Callable[[Item], Answer], items: Iterable[Item], each: Callable[[Answer], None]
) -> bool:
    """Do something for all items; ``each`` gets the answers, in the order in which they come.

    Interrupted once, it begins no more of them, and lets those that are under way come to their
    end; interrupted twice it raises KeyboardInterrupt.

    Returns:
        Whether all were done.

    Raises:
        Exception: what ``do`` raises.
    """
    with ThreadPoolExecutor(THREADS) as threads:
        open_: set[Future[Answer]] = set()

        def take(futures: Iterable[Future[Answer]]) -> None:
            for future in as_completed(futures):
                open_.remove(future)
                each(future.result())

        try:
            for item in items:
                open_.add(threads.submit(do, item))
            take(tuple(open_))
        except KeyboardInterrupt:
            take({future for future in open_ if not future.cancel()})
            return False
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
        return True


def answers_of(
    do: Callable[[Item], Answer],
    items: Sequence[Item],
    progress: Progress,
    what: str,
) -> list[Answer]:
    """The answers for all items, in the order in which they come; else as ``in_parallel``.

    Args:
        do: something, for each item.
        items: for which.
        progress: is told how many of them are done.
        what: it is that is done, in words.

    Raises:
        KeyboardInterrupt: it was interrupted; what was under way has come to its end.
        Exception: what ``do`` raises.
    """
    answers: list[Answer] = []

    def add(answer: Answer) -> None:
        answers.append(answer)
        progress(what, len(answers), len(items))

    if not in_parallel(do, items, add):
        raise KeyboardInterrupt
    return answers


def no_progress(_what: str, _done: int, _of: int) -> None:
    """Nobody wants to know."""
