"""The ``coldstart`` command: see what the layer tells, before and after it is attached."""
