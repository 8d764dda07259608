"""Notes of what a function was like before the layer was attached: a small file for each.

Only what attaching changes is in them: a function's other variables, which may be secrets, are not.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import platformdirs

from coldstart_cli.fleet.aws_errors import FleetError
from coldstart_cli.fleet.wiring import Wiring, is_version_arn

_FORMAT = 1


@dataclass(frozen=True)
class AliasMove:
    """An alias that was pointed at another version; ``after`` as in Record."""

    before: str
    after: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """What is noted of one function.

    Notes are written before the change, which may then be cut short: so ``after`` has what the
    change makes of the function, and what our change before it had made. A function that is like
    none of these has been changed by somebody else.
    """

    function_arn: str
    before: Wiring
    after: tuple[Wiring, ...]
    aliases: Mapping[str, AliasMove] = field(default_factory=dict)


def default_folder() -> Path:
    """Where the notes are kept if nobody says otherwise."""
    return platformdirs.user_state_path("coldstart", appauthor=False)


class StateFolder:
    """A folder with an account's functions: ACCOUNT/REGION/FUNCTION.json."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def file(self, function_arn: str) -> Path:
        """The file about a function."""
        _, _, _, region, account, _, name = function_arn.split(":")
        return self.path / account / region / f"{name}.json"

    def read(self, function_arn: str) -> Record | None:
        """What is noted of a function; None: nothing is.

        Raises:
            FleetError: there is a file, and it cannot be read.
        """
        file = self.file(function_arn)
        try:
            noted = json.loads(file.read_text(encoding="utf-8"))
            if noted["format"] != _FORMAT:
                raise FleetError(
                    f"{file} is of another version of this tool (format {noted['format']}):"
                    " update the tool, or move the file away"
                )
            if noted["function_arn"] != function_arn:
                raise ValueError(f"it is of {noted['function_arn']}")
            return Record(
                function_arn,
                _wiring(noted["before"]),
                tuple(_wiring(one) for one in noted["after"]),
                {name: _move(move) for name, move in noted["aliases"].items()},
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise FleetError(
                f"{file} cannot be read ({type(error).__name__}: {error}): move it away, and what"
                " the function was like before is not known"
            ) from None

    def write(self, record: Record) -> None:
        """Note it, on disk before this returns; a reader sees the old file or the new one.

        Raises:
            FleetError: it could not be written.
        """
        file = self.file(record.function_arn)
        noted = {
            "format": _FORMAT,
            "written_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            **dataclasses.asdict(record),
        }
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}.")
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                    json.dump(noted, stream, indent=2)
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(name).replace(file)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise FleetError(f"{file} cannot be written: {error}") from None

    def remove(self, record: Record) -> None:
        """Forget a function, unless something else has been noted of it by now.

        Raises:
            FleetError: its file is there, and could not be removed.
        """
        file = self.file(record.function_arn)
        try:
            if self.read(record.function_arn) == record:
                file.unlink(missing_ok=True)
        except OSError as error:
            raise FleetError(f"{file} cannot be removed: {error}") from None


def _wiring(noted: Mapping[str, Any]) -> Wiring:
    layers, variables = noted["layers"], (noted["exec_wrapper"], noted["next_wrapper"])
    if not isinstance(layers, list) or not all(is_version_arn(layer) for layer in layers):
        raise ValueError(f"{layers!r} are no layers")
    if not all(variable is None or isinstance(variable, str) for variable in variables):
        raise ValueError(f"{variables!r} are no variables")
    return Wiring(tuple(layers), *variables)


def _move(noted: Mapping[str, Any]) -> AliasMove:
    before, after = noted["before"], noted["after"]
    if not isinstance(before, str) or not after or not all(isinstance(one, str) for one in after):
        raise ValueError(f"{noted!r} is no move of an alias")
    return AliasMove(before, tuple(after))
