"""Measures starts and invocations: of every arm in every round, in an order drawn anew.

What a shared machine does to one arm it then does to the others as well, and the differences within
a round tell what medians alone do not.
"""

from __future__ import annotations

import contextlib
import gc
import random
import statistics
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from dataclasses import dataclass, field

from coldstart_cli.local_lambda.xray_daemon import XrayDaemon

from benchmarks.arms import ALTERNATIVES, OFTEN_WITH_BOTO3, OURS_SAMPLED, Arm
from benchmarks.layouts import Place, Process, undisturbed
from benchmarks.runtime_api import FunctionError, RuntimeApi

SEED = 20261125
# How often a round starts the arms whose differences are small: each time the next to the others.
_PASSES = 4
# For the invocations the arms take turns in blocks of a few milliseconds. The first blocks, and the
# first invocations of each, are left out: there the interpreter specializes its code, and the
# caches are another arm's.
_WARM_UP_BLOCKS = 3
_BLOCKS = 10
_WARM_UP_INVOCATIONS = 5
_INVOCATIONS = 25
_EVENT = b"{}"

# A list for each round, and in that one for each pass or block.
Rounds = list[list[float]]


@dataclass(frozen=True)
class Samples:
    """What was measured of an arm.

    Attributes:
        init_ms: from the exec of /var/runtime/bootstrap until the runtime asks for an event, with
            the empty handler.
        init_boto3_ms: the same with the handler that makes a client of boto3; in every other round.
        answered_boto3_ms: the same until the first event is answered.
        first_us: the first invocation of a process, from sending the event to having the response.
        invocation_us: the same when it has warmed up: the median of each block; in every other
            round.
        fastest_us: the fastest of each block.
        peak_kb: the peak of resident memory after the first invocation.
        start_bytes: what a process has written when its first invocation is done.
        warm_bytes: what each later invocation writes.
    """

    init_ms: Rounds = field(default_factory=list)
    init_boto3_ms: Rounds = field(default_factory=list)
    answered_boto3_ms: Rounds = field(default_factory=list)
    first_us: Rounds = field(default_factory=list)
    invocation_us: Rounds = field(default_factory=list)
    fastest_us: Rounds = field(default_factory=list)
    peak_kb: Rounds = field(default_factory=list)
    start_bytes: Rounds = field(default_factory=list)
    warm_bytes: Rounds = field(default_factory=list)


class Measurement:
    """The arms side by side, measured in rounds."""

    def __init__(self, places: Sequence[Place]) -> None:
        """Get ready; ``places`` is where the arms run."""
        self.samples = {place.arm.name: Samples() for place in places}
        self._places = places
        self._random = random.Random(SEED)  # noqa: S311 # not for secrets
        self._xray = XrayDaemon()

    def measure(self, rounds: int, done: Callable[[], object]) -> None:
        """Measure, after a round of starts that does not count and fills the machine's caches.

        Args:
            rounds: how many.
            done: called after each.

        Raises:
            FunctionError: a function failed.
        """
        with undisturbed():
            self._measure_init()
            self._measure_init_boto3()
            for name in self.samples:
                self.samples[name] = Samples()
            for number in range(rounds):
                self._measure_init()
                if number % 2:
                    self._measure_init_boto3()
                else:
                    self._measure_invocations()
                gc.collect()
                done()
        self._xray.close()

    def _shuffled(self, arms: Container[Arm]) -> list[Place]:
        places = [place for place in self._places if place.arm in arms]
        return self._random.sample(places, len(places))

    def _passes(self, often: Collection[Arm], once: Collection[Arm]) -> Iterator[Place]:
        """In the order of a round's starts: all of the arms, then again those that need more."""
        yield from self._shuffled([*often, *once])
        for _ in range(_PASSES - 1):
            yield from self._shuffled(often)

    def _open_round(self, *names: str) -> None:
        for samples in self.samples.values():
            for name in names:
                getattr(samples, name).append([])

    def _measure_init(self) -> None:
        self._open_round("init_ms", "first_us", "peak_kb", "start_bytes")
        often = [place.arm for place in self._places if place.arm not in ALTERNATIVES]
        for place in self._passes(often, ALTERNATIVES):
            samples = self.samples[place.arm.name]
            with Started(place, "empty", self._xray.address) as started:
                samples.init_ms[-1].append(started.init_ms)
                samples.first_us[-1].append(started.invoke(_EVENT))
                peak_kb, written = started.process.look()
                samples.peak_kb[-1].append(peak_kb)
                samples.start_bytes[-1].append(written)

    def _measure_init_boto3(self) -> None:
        self._open_round("init_boto3_ms", "answered_boto3_ms")
        once = [arm for arm in ALTERNATIVES if arm not in OFTEN_WITH_BOTO3]
        for place in self._passes(OFTEN_WITH_BOTO3, once):
            samples = self.samples[place.arm.name]
            with Started(place, "boto3", self._xray.address) as started:
                samples.init_boto3_ms[-1].append(started.init_ms)
                answered_ms = started.init_ms + started.invoke(_EVENT) / 1000
                samples.answered_boto3_ms[-1].append(answered_ms)

    def _measure_invocations(self) -> None:
        self._open_round("invocation_us", "fastest_us", "warm_bytes")
        with contextlib.ExitStack() as stack:
            everything = []
            for place in self._places:
                started = stack.enter_context(Started(place, "empty", self._xray.address))
                started.invoke(_EVENT)
                started.process.freeze()
                everything.append(started)
            for number in range(_WARM_UP_BLOCKS + _BLOCKS):
                for started in self._random.sample(everything, len(everything)):
                    self._measure_block(started, counts=number >= _WARM_UP_BLOCKS)

    def _measure_block(self, started: Started, *, counts: bool) -> None:
        """Invoke one of the processes a few times while the others are frozen."""
        samples = self.samples[started.place.arm.name]
        self._xray.read()
        _, written_before = started.process.look()
        times = started.block(_EVENT, _WARM_UP_INVOCATIONS, _INVOCATIONS)
        _, written = started.process.look()
        invocations = _WARM_UP_INVOCATIONS + _INVOCATIONS
        if started.place.arm == OURS_SAMPLED and len(self._xray.read()) != invocations:
            raise FunctionError("not each sampled invocation has its subsegment")
        if counts:
            samples.invocation_us[-1].append(statistics.median(times))
            samples.fastest_us[-1].append(min(times))
            samples.warm_bytes[-1].append((written - written_before) / invocations)


class Started:
    """A process that waits for events, with a Runtime API of its own. Is ended on exit."""

    def __init__(
        self, place: Place, handler: str, xray: str, variables: dict[str, str] | None = None
    ) -> None:
        """Describe it; it starts when the block is entered.

        Args:
            place: where it runs.
            handler: one of ``benchmarks.arms.HANDLERS``.
            xray: the address of the X-Ray daemon.
            variables: other environment variables than the arm's.
        """
        self.place = place
        self.init_ms = 0.0
        self._api = RuntimeApi()
        self._environment = place.environment(handler, self._api.address, xray) | (variables or {})
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Started:
        with self._stack:
            self._stack.callback(self._api.close)
            self.process: Process = self._stack.enter_context(self.place.process(self._environment))
            try:
                self.init_ms = (self._api.wait_until_ready() - self.process.began_ns) / 1e6
            except FunctionError as error:
                raise self._explained(error) from None
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    def invoke(self, event: bytes) -> float:
        """Invoke it; returns the time from sending the event to having the response, in µs."""
        try:
            return self._api.invoke(event, sampled=self.place.arm.sampled) / 1e3
        except FunctionError as error:
            raise self._explained(error) from None

    def block(self, event: bytes, warm_up: int, invocations: int) -> list[float]:
        """Invoke it in a row, after which it is frozen; the times in µs of those behind the first.

        Args:
            event: the event of each invocation, as JSON.
            warm_up: how many to leave out.
            invocations: how many not to.
        """
        self.process.thaw()
        for _ in range(warm_up):
            self.invoke(event)
        times = [self.invoke(event) for _ in range(invocations)]
        self.process.freeze()
        return times

    def _explained(self, error: FunctionError) -> FunctionError:
        return FunctionError(f"{self.place.arm.name.strip()}: {error}\n{self.process.tail()}")
