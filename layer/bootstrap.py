"""The shim: the wrapper puts this script in front of the runtime's own, which it then becomes.

Python compiles a script anew at each start, so it is as short as can be: what it does stands in
``from_bytecode.py``, compiled for each Python, and in ``from_source.py`` where that does not fit.
"""

import sys
from time import time

shim_at = time()
package = __file__[:-22] + "python/coldstart_layer/"  # coldstart/bootstrap.py lies beside python/
try:
    from _frozen_importlib_external import SourcelessFileLoader

    path = package + sys.implementation.cache_tag + ".bytecode"
    exec(SourcelessFileLoader("", path).get_code(""))
except Exception:
    with open(package + "from-source.py") as it:
        exec(it.read())
become(sys.argv[1:], globals())  # type: ignore[name-defined]
