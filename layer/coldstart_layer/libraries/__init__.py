"""Lets the libraries that a function uses say what the layer says.

Which ones it has loaded shows in ``sys.modules``; none is imported here. Each has a module of its
own with ``attach()``, called once, which returns what to call with the ``Start`` before each
invocation, or None if there is nothing to do then. (aws-xray-sdk's is called by ``sinks.xray``.)
"""

import sys

from coldstart_layer.guard import attempt
from coldstart_layer.settings import Settings
from coldstart_layer.start import Start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Agree = Callable[[Start], None]


class Libraries:
    """The libraries that the function has loaded so far."""

    def __init__(self, settings: Settings) -> None:
        """Choose the libraries to look out for, by the signals that are switched on."""
        # The module that shows that a library is loaded, and ours that deals with it.
        self._unseen = {
            "aws_lambda_powertools": "powertools",
            "datadog_lambda.wrapper": "datadog",
        }
        if settings.logs:
            self._unseen.update({"loguru": "loguru", "structlog": "structlog"})
        if settings.tracing:
            self._unseen["opentelemetry.sdk.trace"] = "opentelemetry"
        self._agreements: list[tuple[str, Agree]] = []
        self._modules_seen = 0

    def look(self) -> None:
        """Attach to what has been loaded since the last look."""
        modules = sys.modules
        # Counting is all that this costs an invocation of a function that uses none of them.
        if len(modules) == self._modules_seen:
            return
        self._modules_seen = len(modules)
        for name in self._unseen.keys() & modules.keys():
            module = modules[name]
            # None, or a class of its own such as that of a lazy import, which reading would run.
            if type(module) is not type(sys):
                continue
            if getattr(getattr(module, "__spec__", None), "_initializing", False):
                self._modules_seen = 0  # a thread is still importing it: look again
                continue
            site = f"verdict in {name}"
            agree = attempt(site, _attach, self._unseen.pop(name))
            if agree is not None:
                self._agreements.append((site, agree))

    def tell(self, start: Start) -> None:
        """An event is about to reach the handler: tell the libraries the verdict."""
        self.look()
        for site, agree in self._agreements:
            attempt(site, agree, start)


def _attach(module: str) -> "Agree | None":
    from importlib import import_module

    agree: Agree | None = import_module(f"{__name__}.{module}").attach()
    return agree
