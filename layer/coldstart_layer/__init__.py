"""What the layer knows about the start behind the current Lambda invocation.

A function needs none of this: log lines, metrics and traces carry the verdict by themselves. It is
here for code that wants to act on it::

    import coldstart_layer

    start = coldstart_layer.current()
    if start is not None and start.cold_start:
        ...
"""

from coldstart_layer.start import Start, current

__all__ = ["Start", "current"]
__version__ = "0.1.0"
