"""Puts ``cold_start`` and ``initialization_type`` on every log record.

The fields go in where records are made, after ``logging`` has checked the caller's ``extra``: set
any earlier, they would make a function that logs ``extra={"cold_start": ...}`` fail. Formatters
that print a record's attributes (the runtime's own JSON format, Powertools Logger,
python-json-logger) then show them unasked.
"""

import logging

from coldstart_layer.guard import attempt
from coldstart_layer.start import current

_MESSAGE = "%(message)s"


def add_fields(initialization_type: str) -> None:
    """From now on, add the two fields to each record that does not have them."""
    original = logging.Logger.makeRecord

    def complete(fields: "dict[str, object]") -> None:
        start = current()
        if start is not None:
            fields.setdefault("cold_start", start.cold_start)
        fields.setdefault("initialization_type", initialization_type)

    def make_record(self: logging.Logger, *args: object, **kwargs: object) -> logging.LogRecord:
        try:
            record = original(self, *args, **kwargs)  # type: ignore[arg-type]
        except BaseException as error:
            # `extra` names a reserved attribute. The stack trace is the user's: leave us out.
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next
            raise
        attempt("log fields", complete, record.__dict__)
        return record

    logging.Logger.makeRecord = make_record  # type: ignore[method-assign]


class _ColumnFormatter(logging.Formatter):
    """The runtime's text format, with a column of ours before the message."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = attempt("log column", self._with_column, record.__dict__)
        return super().formatMessage(record) if line is None else line

    def _with_column(self, fields: "dict[str, object]") -> "str | None":
        if "initialization_type" not in fields:
            return None  # not made by a logger of this process
        column = f"initialization_type={fields['initialization_type']}"
        if "cold_start" in fields:
            cold_start = fields["cold_start"]
            shown = str(cold_start).lower() if isinstance(cold_start, bool) else cold_start
            column = f"cold_start={shown} {column}"
        template = column.replace("%", "%%") + "\t" + _MESSAGE
        return (self._fmt or "").replace(_MESSAGE, template, 1) % fields


def add_column() -> None:
    """Show the fields in the runtime's text format. Does nothing under its JSON format."""
    for handler in logging.getLogger().handlers:
        formatter = handler.formatter
        # Exactly the class the runtime uses: whatever else formats here knows what it is doing.
        if type(formatter) is logging.Formatter and _MESSAGE in (formatter._fmt or ""):
            handler.setFormatter(_ColumnFormatter(formatter._fmt, formatter.datefmt))
