"""Reads the X-Ray tracing header that comes with an invocation.

Format: "Tracing header" in the AWS X-Ray developer guide, "X-Ray concepts":
``Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=1``, further fields allowed.
"""

# Several times what the fields of a header take: a caller that fills it with 131 kB, which Lambda
# passes on, must not cost each request the time to read them.
_LONGEST = 1024


class TraceHeader:
    """The fields of a tracing header that matter here.

    Attributes:
        text: the header as it came, or None.
        root: the trace id, or None where there is no well-formed one.
        epoch: the second in which the trace began, read from ``root``, or None.
        parent: the id of the parent segment, or None where there is no well-formed one.
        sampled: whether this request is traced.
    """

    def __init__(
        self,
        text: "str | None" = None,
        root: "str | None" = None,
        epoch: "int | None" = None,
        parent: "str | None" = None,
        sampled: bool = False,
    ) -> None:
        self.text = text
        self.root = root
        self.epoch = epoch
        self.parent = parent
        self.sampled = sampled


def _hex(text: str, digits: int) -> "int | None":
    """The value of exactly ``digits`` hexadecimal digits, else None."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return None
    # fromhex passes over white space: what it kept must account for every character.
    if len(text) != digits or 2 * len(raw) != digits:
        return None
    return int.from_bytes(raw, "big")


_NOTHING = TraceHeader()


def parse(header: object, only_if_sampled: bool = False) -> TraceHeader:
    """Read a tracing header. Whatever is absent or malformed is None; never raises.

    Args:
        header: the header; anything but a string is none.
        only_if_sampled: read nothing if the request is not traced, which is much of what the layer
            takes of an invocation.
    """
    if type(header) is not str or not header:
        return _NOTHING
    read = header[:_LONGEST]
    if only_if_sampled and "Sampled=1" not in read:
        return _NOTHING
    fields = {}
    for field in read.split(";"):
        name, _, value = field.strip().partition("=")
        fields[name] = value

    root, epoch = fields.get("Root", ""), None
    parts = root.split("-")
    if len(parts) == 3 and parts[0] == "1" and _hex(parts[2], 24) is not None:
        epoch = _hex(parts[1], 8)
    parent = fields.get("Parent", "")
    return TraceHeader(
        header,
        root if epoch is not None else None,
        epoch,
        parent if _hex(parent, 16) is not None else None,
        fields.get("Sampled") == "1",
    )
