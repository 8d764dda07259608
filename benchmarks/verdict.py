"""How often the verdict on a first invocation is wrong: `python -m benchmarks.verdict`.

Simulates first invocations of on-demand environments and has them judged by an earlier rule,
written out below, and by the layer's own `classify`. Only one question is at stake: was the
environment ready before the request existed? The other rows of the decision table need no clock.

The model:

- *Cold start.* Lambda receives a request and starts the Init phase for it. When the runtime's init
  is over, the runtime asks for an event (`ready_at`). It is handed the request at once or, if an
  extension is slow, when that is ready.
- *Proactive start.* Lambda runs the Init phase without a request; the runtime asks for an event
  (`ready_at`). A while after all of the environment was ready, extensions included, Lambda receives
  a request and hands it over at once. That while is the gap. The request waited for no init.
- Handing a request over takes 1 to 5 ms. All clocks of AWS agree; those of callers do not.
- *API Gateway* or a function URL received the request 1 to 20 ms before Lambda, says so in the
  event (in whole milliseconds), and begins a trace then. A Lambda authorizer takes another 0.05 to
  5 s before Lambda receives the request. A trace header from the client is passed on.
- *Trace by Lambda*: begun when Lambda received the request. *Trace from upstream*: begun 2 s to one
  hour before, by a good clock. *Trace by the caller*: begun when Lambda received the request, by a
  clock that is up to 4 s ahead or behind. *No trace*: the request says nothing about its age.
- A *slow extension* is ready some time between the end of the runtime's init and 10 s after the
  start of the Init phase, where Lambda's limit is. An external extension is a file in
  /opt/extensions. An internal one is registered by the function's own process: the layer cannot
  see it.

Init lengths (0.2 to 10 s), gaps (0.05 to 30 s), ages of traces and times of authorizers are spread
evenly over their logarithm, everything else evenly. These are not the frequencies on Lambda, where
most gaps are longer: each share answers "how often, if that is the case?". Not in the model: a
request that arrives while a proactive Init phase runs, restores (which are judged alike), and
clocks that are set while an environment lives.

The situations are points of a Sobol sequence, so that each run gives the same table.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields

import click
from coldstart_layer.classify import classify
from scipy.stats import qmc

_EPOCH = 1_800_000_000  # a whole second
_INIT_PHASE = 10.0
_POINTS = 13  # as a power of two


def _evenly(low: float, high: float) -> Callable[[float], float]:
    return lambda share: low + (high - low) * share


def _logarithmically(low: float, high: float) -> Callable[[float], float]:
    return lambda share: low * (high / low) ** share


@dataclass(frozen=True)
class Situation:
    """One point of the simulated space. All but ``extension`` are seconds.

    Attributes:
        init: the runtime's part of the Init phase.
        gap: how long a proactive environment was ready when Lambda received the request.
        phase: how far into a second it begins.
        handing_over: from Lambda, or the end of the Init phase, to the function.
        forwarding: from API Gateway to Lambda.
        authorizer: the time of a Lambda authorizer.
        trace_age: how long before the request an upstream service began the trace.
        clock_error: how far the caller's clock is ahead.
        extension: when a slow extension is ready: 0 with the runtime, 1 at the limit.
    """

    init: float = field(metadata={"spread": _logarithmically(0.2, 10)})
    gap: float = field(metadata={"spread": _logarithmically(0.05, 30)})
    phase: float = field(metadata={"spread": _evenly(0, 1)})
    handing_over: float = field(metadata={"spread": _evenly(0.001, 0.005)})
    forwarding: float = field(metadata={"spread": _evenly(0.001, 0.020)})
    authorizer: float = field(metadata={"spread": _logarithmically(0.05, 5)})
    trace_age: float = field(metadata={"spread": _logarithmically(2, 3600)})
    clock_error: float = field(metadata={"spread": _evenly(-4, 4)})
    extension: float = field(metadata={"spread": _evenly(0, 1)})


def situations() -> list[Situation]:
    """Spread situations evenly over the space: the same ones in each run."""
    spreads = [it.metadata["spread"] for it in fields(Situation)]
    points = qmc.Sobol(len(spreads), scramble=False).random_base2(_POINTS).tolist()
    return [
        Situation(*(spread(share) for spread, share in zip(spreads, point, strict=True)))
        for point in points
    ]


@dataclass(frozen=True)
class Extension:
    """Whether an extension holds the first event back, and whether the layer can see it."""

    name: str
    is_slow: bool = False
    is_visible: bool = False

    def delay(self, situation: Situation) -> float:
        """How much longer than the runtime it takes to be ready, in seconds."""
        return situation.extension * (_INIT_PHASE - situation.init) if self.is_slow else 0.0


EXTENSIONS = (
    Extension("none"),
    Extension("slow, external", is_slow=True, is_visible=True),
    Extension("slow, internal", is_slow=True),
)


@dataclass(frozen=True)
class Start:
    """A first invocation: the epoch seconds at which it happened, and the truth about it."""

    received_at: float
    ready_at: float
    invoked_at: float
    is_cold: bool


def cold_start(situation: Situation, extension: Extension) -> Start:
    """Start an environment for a request."""
    received_at = _EPOCH + situation.phase
    ready_at = received_at + situation.init
    invoked_at = ready_at + extension.delay(situation) + situation.handing_over
    return Start(received_at, ready_at, invoked_at, is_cold=True)


def proactive_start(situation: Situation, extension: Extension) -> Start:
    """Start an environment, and have a request come in after the gap."""
    ready_at = _EPOCH + situation.phase
    received_at = ready_at + extension.delay(situation) + situation.gap
    return Start(received_at, ready_at, received_at + situation.handing_over, is_cold=False)


@dataclass(frozen=True)
class Origin:
    """What a request says about its own age: as the arguments of `classify`."""

    born_at: float | None
    root: int | None


def _api_gateway(born_at: float, clock_error: float = 0.0) -> Origin:
    return Origin(math.floor(born_at * 1000) / 1000, math.floor(born_at + clock_error))


def _trace(began_at: float) -> Origin:
    return Origin(None, math.floor(began_at))


# By the kind of caller: what its request says about its age, if Lambda received it at `at`.
CALLERS: dict[str, Callable[[Situation, float], Origin]] = {
    "API Gateway, function URL": lambda it, at: _api_gateway(at - it.forwarding),
    "the same, trace by the client": lambda it, at: _api_gateway(
        at - it.forwarding, it.clock_error
    ),
    "the same, with an authorizer": lambda it, at: _api_gateway(at - it.forwarding - it.authorizer),
    "trace by Lambda": lambda _, at: _trace(at),
    "trace from upstream": lambda it, at: _trace(at - it.trace_age),
    "trace by the caller": lambda it, at: _trace(at + it.clock_error),
    "no trace": lambda *_: Origin(None, None),
}


def is_cold_by_earlier_rule(start: Start, origin: Origin) -> bool:
    """Judge with one second of tolerance for clocks, and 10 s for any gap."""
    if origin.root is not None and start.ready_at < origin.root <= start.invoked_at + 1.0:
        return False
    return start.invoked_at - start.ready_at <= _INIT_PHASE


def is_cold(start: Start, origin: Origin, extension: Extension) -> bool:
    """Judge as the layer does."""
    _, verdict = classify(
        sequence=1,
        initialization_type="on-demand",
        restarted=False,
        ready_at=start.ready_at,
        invoked_at=start.invoked_at,
        born_at=origin.born_at,
        root=origin.root,
        has_extension=extension.is_visible,
    )
    return verdict


COLD = "cold start called proactive"
# Those of proactive starts that are called cold, by the gap.
SHORT = "proactive start called cold: gap up to 1 s"
MEDIUM = "up to 10 s"
LONG = "up to 30 s"
COLUMNS = (COLD, SHORT, MEDIUM, LONG)


@dataclass
class Tally:
    """How many starts there were, and how many each rule got wrong, by column."""

    starts: Counter[str] = field(default_factory=Counter)
    earlier: Counter[str] = field(default_factory=Counter)
    present: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.starts + other.starts, self.earlier + other.earlier, self.present + other.present
        )

    def percentages(self, column: str) -> tuple[float, float]:
        """The share of wrong verdicts by the earlier rule, and by the present one."""
        count = self.starts[column]
        return 100 * self.earlier[column] / count, 100 * self.present[column] / count


def simulate() -> dict[tuple[str, str], Tally]:
    """Judge each situation, as a cold start and as a proactive one.

    Returns:
        The wrong verdicts by extension and caller; the caller "all" is the sum of the others.
    """
    points = situations()
    tallies = {}
    for extension in EXTENSIONS:
        for caller in CALLERS:
            tallies[extension.name, caller] = _judge(points, extension, CALLERS[caller])
        of_all = (tallies[extension.name, caller] for caller in CALLERS)
        tallies[extension.name, "all"] = sum(of_all, start=Tally())
    return tallies


def _judge(
    points: list[Situation], extension: Extension, caller: Callable[[Situation, float], Origin]
) -> Tally:
    tally = Tally()
    for situation in points:
        gap = SHORT if situation.gap <= 1 else MEDIUM if situation.gap <= _INIT_PHASE else LONG
        for column, start in (
            (COLD, cold_start(situation, extension)),
            (gap, proactive_start(situation, extension)),
        ):
            origin = caller(situation, start.received_at)
            tally.starts[column] += 1
            tally.earlier[column] += is_cold_by_earlier_rule(start, origin) != start.is_cold
            tally.present[column] += is_cold(start, origin, extension) != start.is_cold
    return tally


def table(tallies: dict[tuple[str, str], Tally]) -> str:
    """Render the Markdown table of docs/design.md."""
    rows = [
        ["extension", "caller", *COLUMNS],
        ["---", "---", *(["---:"] * len(COLUMNS))],
        *(
            [*names, *("{:.1f} → {:.1f}".format(*tally.percentages(it)) for it in COLUMNS)]
            for names, tally in tallies.items()
        ),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    click.echo(table(simulate()), nl=False)
