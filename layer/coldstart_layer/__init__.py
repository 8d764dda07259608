"""What the layer knows about the start behind the current Lambda invocation.

A function needs none of this: log lines, metrics and traces carry the verdict by themselves. It is
here for code that wants to act on it::

    import coldstart_layer

    start = coldstart_layer.current()
    if start is not None and start.cold_start:
        ...
"""

from coldstart_layer import bytecode

bytecode.use(__path__[0])

from coldstart_layer.start import Start, current  # noqa: E402

__all__ = ["Start", "current"]
__version__ = "0.1.0"
