"""Puts ``cold_start`` and ``initialization_type`` on every log record.

The fields go in where records are made, after ``logging`` has checked the caller's ``extra``: set
any earlier, they would make a function that logs ``extra={"cold_start": ...}`` fail. Formatters
that print a record's attributes, as the runtime's own JSON format does, then show them unasked.
"""

import logging

from coldstart_layer.start import current

_MESSAGE = "%(message)s"

# No guard here, on purpose: it would catch what a signal handler of the function raises in the
# middle of our lines, such as its own timeout. So nothing here fails, and no user code is called.


def add_fields(initialization_type: str) -> None:
    """From now on, add the two fields to each record that does not have them."""
    original = logging.Logger.makeRecord

    def make_record(self: logging.Logger, *args: object, **kwargs: object) -> logging.LogRecord:
        try:
            record = original(self, *args, **kwargs)  # type: ignore[arg-type]
        except BaseException as error:
            # `extra` names a reserved attribute. The stack trace is the user's: leave us out.
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next
            raise
        fields = getattr(record, "__dict__", None)  # a record factory can return anything
        if type(fields) is dict:
            start = current()
            if start is not None:
                fields.setdefault("cold_start", start.cold_start)
            fields.setdefault("initialization_type", initialization_type)
        return record

    logging.Logger.makeRecord = make_record  # type: ignore[method-assign]


class _ColumnFormatter(logging.Formatter):
    """The runtime's text format, with a column of ours before the message."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        column = _column(record.__dict__)
        if column is None:
            return super().formatMessage(record)
        message = record.message
        record.message = f"{column}\t{message}"
        try:
            return super().formatMessage(record)
        finally:
            record.message = message


def _column(fields: "dict[str, object]") -> "str | None":
    """The column for a record with these attributes; None if no logger of this process made it."""
    if "initialization_type" not in fields:
        return None
    column = f"initialization_type={_shown(fields['initialization_type'])}"
    if "cold_start" in fields:
        column = f"cold_start={_shown(fields['cold_start'])} {column}"
    return column


def _shown(value: object) -> str:
    """A value that may be the user's: shown if that runs no code of theirs."""
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) in (str, int, float):
        return str(value)
    return type(value).__name__


def add_column() -> None:
    """Show the fields in the runtime's text format. Does nothing under its JSON format."""
    for handler in logging.getLogger().handlers:
        formatter = handler.formatter
        # Exactly the class the runtime uses: whatever else formats here knows what it is doing.
        if type(formatter) is logging.Formatter and _MESSAGE in (formatter._fmt or ""):
            handler.setFormatter(_ColumnFormatter(formatter._fmt, formatter.datefmt))
