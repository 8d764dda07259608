"""How a command ends, and what it says then: exit codes, lines on stderr."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

DONE, FAILED, USAGE, NOTHING_MATCHED = 0, 1, 2, 3


def fail(message: str) -> NoReturn:
    """End the command: something failed, as one line says."""
    complain(message)
    sys.exit(FAILED)


def nothing_matched(message: str) -> NoReturn:
    """End the command: there is no such function, as one line says."""
    complain(message)
    sys.exit(NOTHING_MATCHED)


def complain(message: str) -> None:
    """A line on stderr about something that is wrong."""
    click.secho(f"coldstart: {message}", fg="red", err=True)


def say(line: str) -> None:
    """A line on stderr."""
    click.echo(line, err=True)
