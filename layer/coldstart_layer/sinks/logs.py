"""Puts ``cold_start`` and ``initialization_type`` on every log record.

The fields go in where records are made, after ``logging`` has checked the caller's ``extra``: set
any earlier, they would make a function that logs ``extra={"cold_start": ...}`` fail. Formatters
that print a record's attributes, as the runtime's own JSON format does, then show them unasked.

``logging`` is imported by these functions and not by the module: they are called when the runtime
has imported it.
"""

from coldstart_layer.start import current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from logging import Logger, LogRecord

# No guard here, on purpose: it would catch what a signal handler of the function raises in the
# middle of our lines, such as its own timeout. So nothing here fails, and no user code is called.


def add_fields(initialization_type: str) -> None:
    """Add the two fields, from now on, to each record that does not have them."""
    import logging

    original = logging.Logger.makeRecord

    def make_record(self: "Logger", *args: object, **kwargs: object) -> "LogRecord":
        try:
            record = original(self, *args, **kwargs)  # type: ignore[arg-type]
        except BaseException as error:
            # `extra` names a reserved attribute. The stack trace is the user's: leave us out.
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next
            raise
        try:
            # Past what a class of the function's may have there; its factory can return anything.
            fields = object.__getattribute__(record, "__dict__")
        except AttributeError:
            return record
        if type(fields) is dict:
            start = current()
            # None while the module loads: a format that asks for the field must not lose the line.
            fields.setdefault("cold_start", None if start is None else start.cold_start)
            fields.setdefault("initialization_type", initialization_type)
        return record

    logging.Logger.makeRecord = make_record  # type: ignore[method-assign]


def add_column() -> None:
    """Show the fields in the runtime's text format. Does nothing under its JSON format.

    The style of the runtime's formatter is replaced, and not the formatter: a format that the
    function sets in place is then written to ours, which leaves the column out from there on.
    """
    import logging

    class ColumnStyle(logging.PercentStyle):
        """The runtime's text format, with a column of ours before the message."""

        runtime_format = ""

        def format(self, record: "LogRecord") -> str:
            column = _column(record.__dict__) if self._fmt == self.runtime_format else None
            if column is None:
                return super().format(record)
            message = record.message
            record.message = f"{column}\t{message}"
            try:
                return super().format(record)
            finally:
                record.message = message

        def __reduce__(self) -> "tuple[type, tuple[str]]":
            return logging.PercentStyle, (self._fmt,)  # a copy is the function's own

    for handler in logging.getLogger().handlers:
        formatter = handler.formatter
        # Exactly the classes the runtime uses: whatever else formats here knows what it is doing.
        if type(formatter) is logging.Formatter and type(formatter._style) is logging.PercentStyle:
            style = ColumnStyle(formatter._style._fmt)
            if "%(message)s" in style._fmt:
                style.runtime_format = style._fmt
                formatter._style = style


def _column(fields: "dict[str, object]") -> "str | None":
    """Return the column for these attributes of a record; None where they have not our fields."""
    if "initialization_type" not in fields:
        return None
    column = f"initialization_type={_shown(fields['initialization_type'])}"
    cold_start = fields.get("cold_start")
    return column if cold_start is None else f"cold_start={_shown(cold_start)} {column}"


def _shown(value: object) -> str:
    """Show a value that may be the user's, on one line and without running code of theirs."""
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is str:
        return value if value.isprintable() else ascii(value)[1:-1]
    if type(value) in (int, float):
        return str(value)
    return type(value).__name__
