"""Whether functions have the layer, and what keeps its signals from arriving: asks and concludes.

Nothing is changed. What may not be asked is left open, and told as such.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from coldstart_cli.fleet import layer_versions
from coldstart_cli.fleet.access import Access
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.layer_versions import DEFAULT_NAME, LayerVersion
from coldstart_cli.fleet.parallel import Progress, answers_of, no_progress
from coldstart_cli.fleet.selection import Selected, Selection, select
from coldstart_cli.fleet.status import served, serving_lookup, signal_paths
from coldstart_cli.fleet.status.problems import Problem, Surroundings, is_ours, newest, our_layer
from coldstart_cli.fleet.status.served import Serving, qualifiers
from coldstart_cli.fleet.status.signal_paths import SignalPaths
from coldstart_cli.fleet.status.signals import problems
from coldstart_cli.fleet.status.unknowns import NotKnown, Unknowns
from coldstart_cli.fleet.status.wiring_signals import runs
from coldstart_cli.fleet.wiring import is_our_wrapper, wiring_of


@dataclass(frozen=True)
class FunctionStatus:
    """One function."""

    function: FleetFunction  # $LATEST
    layer: str | None  # the version ARN of ours that it has
    newest: int | None  # version of that same layer; None: not known
    # Paths of the exec wrappers that run, the outer one first; None: its variables are not known.
    wrappers: tuple[str, ...] | None
    serving: Serving
    log_class: str | None  # of its log group; None: not known, not looked up, or no such group
    problems: tuple[Problem, ...]

    @property
    def attached(self) -> bool | None:
        """Whether layer and wrapper are there; None: that cannot be seen."""
        if self.function.is_image:
            return None
        if self.layer is None:
            return False
        return None if self.wrappers is None else any(map(is_our_wrapper, self.wrappers[:1]))


@dataclass(frozen=True)
class Status:
    """All functions that were asked for."""

    functions: tuple[FunctionStatus, ...]  # by region and name
    selected: Selected
    skipped: int  # functions with other runtimes, which have nothing of ours
    not_known: tuple[NotKnown, ...]


def status(
    access: Access,
    selection: Selection,
    layer: str = DEFAULT_NAME,
    progress: Progress = no_progress,
) -> Status:
    """Find the functions, and find out about each.

    For each function there are two requests, and one for each published version that an alias of
    it points at; for each role that a function with the layer has, one or two.

    Args:
        access: to the account.
        selection: which functions.
        layer: the name of the layer.
        progress: is told what is being done.

    Raises:
        FleetError: an ARN is of another region, or the layer's name is none.
        botocore.exceptions.BotoCoreError, ClientError: functions could not be listed.
    """
    name = layer_versions.name_in(layer)
    unknowns = Unknowns()
    selected = select(access, selection, progress=progress)
    functions = [
        function
        for function in selected.functions
        if function.is_python or function.arn in selected.named or is_ours(function, name)
    ]
    around = {
        region: Surroundings(
            name,
            _layer_versions(access, region, name, unknowns),
            options=("--region", region) if len(access.regions) > 1 else (),
        )
        for region in dict.fromkeys(function.region for function in functions)
    }

    def look(function: FleetFunction) -> tuple[FleetFunction, Serving]:
        return function, serving_lookup.look_up(access, function, name, unknowns)

    looked_at = answers_of(look, functions, progress, "looking at functions")
    found = {function.arn: answer for function, answer in looked_at}
    statuses = []
    for region in around:
        here = [function for function in functions if function.region == region]
        running = [
            one
            for function in here
            for one in (function, *found[function.arn].versions.values())
            if runs(one, name)
        ]
        paths = signal_paths.look_up(access, region, running, unknowns, progress)
        statuses += [
            _status(function, found[function.arn], around[region], paths) for function in here
        ]
    for function in functions:
        if function.unreadable:
            unknowns.note("variables", function.name, "kms:Decrypt on their key is needed")
    return Status(
        tuple(statuses), selected, len(selected.functions) - len(functions), unknowns.all()
    )


def _layer_versions(
    access: Access, region: str, name: str, unknowns: Unknowns
) -> tuple[LayerVersion, ...] | None:
    return unknowns.ask(
        "versions of the layer",
        f"{name} in {region}",
        "lambda:ListLayerVersions",
        lambda: layer_versions.versions(access, region, name),
    )


def _status(
    function: FleetFunction, serving: Serving, around: Surroundings, paths: SignalPaths
) -> FunctionStatus:
    wiring = wiring_of(function)
    chain = (wiring.exec_wrapper, wiring.next_wrapper)
    if not is_our_wrapper(wiring.exec_wrapper):
        chain = (wiring.exec_wrapper, None)  # what it runs is not known
    layer, latest = our_layer(function, around.layer), newest(around)
    if layer is not None and layer.split(":")[4] != function.arn.split(":")[4]:
        latest = None  # that is of another layer
    return FunctionStatus(
        function,
        layer,
        latest.version if latest is not None else None,
        None if function.unreadable else tuple(path for path in chain if path),
        serving,
        paths.log_class(function),
        served.merged(
            [
                *_problems(function, around, paths),
                *served.served_problems(function, serving, around),
                *_of_versions(serving, around, paths),
            ]
        ),
    )


def _of_versions(serving: Serving, around: Surroundings, paths: SignalPaths) -> Iterable[Problem]:
    """Those of the published versions that serve and have the layer."""
    for where, number, alias in qualifiers(serving):
        version = serving.versions.get(number)
        if version is None:
            continue
        for problem in _problems(version, around, paths, alias):
            cure = problem.cure
            if alias is None:
                cure += ", publish a version, and set provisioned concurrency on that one"
            yield replace(problem, where=(where,), cure=cure)


def _problems(
    function: FleetFunction, around: Surroundings, paths: SignalPaths, alias: str | None = None
) -> tuple[Problem, ...]:
    known = replace(around, log_class=paths.log_class(function), allowed=paths.role_may(function))
    return problems(function, known, alias)
