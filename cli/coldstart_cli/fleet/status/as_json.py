"""The status of functions as JSON, for programs."""

from __future__ import annotations

import json
from typing import Any

from coldstart_cli.fleet.status.served import snap_start
from coldstart_cli.fleet.status.signals import log_format, tracing_mode
from coldstart_cli.fleet.status.status import FunctionStatus, Status
from coldstart_cli.fleet.wiring import layer_version


def as_json(status: Status) -> str:
    """All that is known of functions, as a JSON object; what is not known is null."""
    return json.dumps(
        {
            "functions": [_as_dict(one) for one in status.functions],
            "missing": list(status.selected.missing),
            "not_known": [
                {"what": one.what, "of": list(one.of), "why": one.why} for one in status.not_known
            ],
        },
        indent=2,
    )


def _as_dict(one: FunctionStatus) -> dict[str, Any]:
    function, serving = one.function, one.serving
    config = function.configuration.get("LoggingConfig") or {}
    kind, system_level = log_format(function)
    managed = bool(function.configuration.get("CapacityProviderConfig"))
    return {
        "function": function.name,
        "arn": function.arn,
        "region": function.region,
        "runtime": function.configuration.get("Runtime") or None,
        "package": function.configuration.get("PackageType", "Zip"),
        "attached": one.attached,
        "layer": one.layer,
        "layer_version": layer_version(one.layer) if one.layer else None,
        "newest_version": one.newest,
        "wrappers": None if one.wrappers is None else list(one.wrappers),
        "managed_instances": managed,
        "snap_start": snap_start(function),
        "provisioned": None
        if serving.provisioned is None
        else [
            {
                "on": each.qualifier,
                "requested": each.requested,
                "ready": each.allocated,
                "status": each.status,
            }
            for each in serving.provisioned
        ],
        "aliases": None
        if serving.aliases is None
        else {alias.name: list(alias.versions) for alias in serving.aliases},
        "tracing": tracing_mode(function),
        "logs": {
            "group": function.log_group,
            "class": one.log_class,
            "format": kind,
            "level": config.get("ApplicationLogLevel", "INFO") if system_level else None,
            "system_level": system_level,
        },
        "problems": [
            {
                "kind": problem.kind,
                "keeps_signal": problem.keeps_signal,
                "where": list(problem.where),
                "what": problem.what,
                "cure": problem.cure,
                "source": problem.source,
            }
            for problem in one.problems
        ],
    }
