"""The least that such a script can be: it becomes the one behind it, and does nothing else."""

import sys

del sys.argv[0]
__file__ = sys.argv[0]
sys.path[0] = __file__.rpartition("/")[0]
# Not compiled first: the first call of compile() makes the classes of Python's syntax tree. So its
# stack traces do not name the script; a layer that wants them to pays a little more.
with open(__file__, "rb") as file:  # noqa: PTH123 # pathlib takes longer than all the rest
    source = file.read()
exec(source)  # noqa: S102
