"""Handlers of every kind reach the runtime as the objects that they are, and nothing touches them.

Each answers what was done to it. What the runtime has in its hands, the references to that and the
function's lines are compared with those of the bare runtime.
"""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest
from with_and_without import compare

# On the oldest and on the newest: what differs between them is how objects are called and counted.

# Imported by each function: prints what the runtime has in its hands when it is about to call it.
WATCH = """
    import gc, json, logging, sys
    import awslambdaric.bootstrap as runtime

    log = logging.getLogger()
    log.setLevel("INFO")
    original = runtime.handle_event_request

    def handle_event_request(client, request_handler, *args, **kwargs):
        module = sys.modules["app"]
        names = object.__getattribute__(module, "__dict__") if type(module) is type(sys) else {}
        log.info("about to call")
        gc.collect()
        print(json.dumps({
            "is the module's": request_handler is names.get("handler"),
            "type": type(request_handler).__qualname__,
            "references": sys.getrefcount(request_handler),
            "referrers": sorted(type(it).__name__ for it in gc.get_referrers(request_handler)),
        }))
        return original(client, request_handler, *args, **kwargs)

    runtime.handle_event_request = handle_event_request
"""

# The module, and what it answers to two events; None: not what matters, it is as without the layer.
KINDS: dict[str, tuple[str, Any]] = {
    "a function": ("def handler(event, context):\n    return 1", [1, 1]),
    "a class, called": (
        """
        class handler(dict):
            made = 0
            def __init__(self, event, context):
                handler.made += 1
                super().__init__(made=handler.made)
        """,
        [{"made": 1}, {"made": 2}],
    ),
    "a class whose metaclass counts": (
        """
        counts = {"called": 0, "read": []}
        class Meta(type):
            def __getattribute__(cls, name):
                counts["read"].append(name)
                return super().__getattribute__(name)
            def __call__(cls, event, context):
                counts["called"] += 1
                return counts
        class handler(metaclass=Meta):
            pass
        counts["read"].clear()
        """,
        [{"called": 1, "read": []}, {"called": 2, "read": []}],
    ),
    "an object that counts what is read of it": (
        """
        read = []
        class Counting:
            def __getattribute__(self, name):
                read.append(name)
                return object.__getattribute__(self, name)
            def __setattr__(self, name, value):
                read.append(f"set {name}")
            def __delattr__(self, name):
                read.append(f"del {name}")
            def __dir__(self):
                read.append("dir")
                return []
            def __call__(self, event, context):
                return read
        handler = Counting()
        """,
        [[], []],
    ),
    "an object that answers to any name": (
        """
        asked = []
        class Any:
            def __getattr__(self, name):
                asked.append(name)
                return lambda *args, **kwargs: "anything"
            def __call__(self, event, context):
                return asked
        handler = Any()
        """,
        [[], []],
    ),
    "an object that can be nothing but called": (
        """
        class Hostile:
            __slots__ = ()
            __hash__ = None
            def refuse(self, *args):
                raise RuntimeError("nobody does this")
            __eq__ = __bool__ = __len__ = __iter__ = __repr__ = __str__ = __getattr__ = refuse
            __setattr__ = __delattr__ = __reduce_ex__ = __get__ = __index__ = __dir__ = refuse
            __instancecheck__ = __contains__ = __getitem__ = __enter__ = __await__ = refuse
            def __call__(self, event, context):
                return "called"
        handler = Hostile()
        """,
        ["called", "called"],
    ),
    "an object that is false and empty": (
        """
        class Empty:
            __slots__ = ("calls",)
            def __init__(self):
                self.calls = 0
            def __len__(self):
                return 0
            def __call__(self, event, context):
                self.calls += 1
                return [self.calls, hasattr(self, "__dict__"), hasattr(self, "__weakref__")]
        handler = Empty()
        """,
        [[1, False, False], [2, False, False]],
    ),
    "an object that claims to be of another class": (
        """
        asked = []
        def real(event, context):
            "documented"
            return [asked, isinstance(handler, type(real)), handler.__doc__]
        class Proxy:
            @property
            def __class__(self):
                asked.append("__class__")
                return type(real)
            @property
            def __doc__(self):
                return real.__doc__
            @property
            def __wrapped__(self):
                asked.append("__wrapped__")
                return real
            def __call__(self, event, context):
                return real(event, context)
        handler = Proxy()
        """,
        [[["__class__"], True, "documented"], [["__class__"] * 2, True, "documented"]],
    ),
    "private names of a class and its child": (
        """
        class Base:
            def __init__(self):
                self.__handler = self.__wrapped = self.__call = lambda *args: "inner"
            def __call__(self, event, context):
                return ["outer", sorted(vars(self))]
        class Handler(Base):
            def __init__(self):
                super().__init__()
                self.__handler = self.__original = lambda *args: "inner"
        handler = Handler()
        """,
        [
            [
                "outer",
                [
                    "_Base__call",
                    "_Base__handler",
                    "_Base__wrapped",
                    "_Handler__handler",
                    "_Handler__original",
                ],
            ]
        ]
        * 2,
    ),
    "__call__ as a property that counts": (
        """
        class Handler:
            reads = 0
            @property
            def __call__(self):
                Handler.reads += 1
                return lambda event, context: Handler.reads
        handler = Handler()
        """,
        [1, 2],
    ),
    "__call__ as a descriptor": (
        """
        class Bind:
            reads = []
            def __get__(self, it, owner=None):
                self.reads.append([type(it).__name__, owner.__name__])
                return lambda event, context: self.reads
            def __set__(self, it, value):
                raise AttributeError("read-only")
        class Handler:
            __call__ = Bind()
        handler = Handler()
        """,
        [[["Handler", "Handler"]], [["Handler", "Handler"]] * 2],
    ),
    "__call__ replaced in the first call": (
        """
        class Handler:
            def __call__(self, event, context):
                Handler.__call__ = lambda self, event, context: "second"
                self.__call__ = lambda event, context: "of the object, which Python ignores"
                return "first"
        handler = Handler()
        """,
        ["first", "second"],
    ),
    "its class changed in the first call": (
        """
        class Later:
            def __call__(self, event, context):
                return "later"
        class Handler:
            def __call__(self, event, context):
                self.__class__ = Later
                return "first"
        handler = Handler()
        """,
        ["first", "later"],
    ),
    "a bound method": (
        """
        class Handler:
            def __init__(self):
                self.calls = 0
            def handle(self, event, context):
                self.calls += 1
                return [self.calls, handler.__self__ is app, handler.__func__ is Handler.handle]
        app = Handler()
        handler = app.handle
        """,
        [[1, True, True], [2, True, True]],
    ),
    "a class method and a static method": (
        """
        class App:
            @classmethod
            def first(cls, event, context):
                return cls.__name__
            handler = staticmethod(lambda event, context: [App.first(event, context), kind])
        handler = vars(App)["handler"]
        kind = type(handler).__name__
        """,
        [["App", "staticmethod"]] * 2,
    ),
    "a partial of a bound method": (
        """
        import functools
        class App:
            def handle(self, extra, event, context, *, more):
                return [extra, more, handler.func.__self__ is app, handler.args, handler.keywords]
        app = App()
        handler = functools.partial(app.handle, "extra", more="more")
        """,
        [["extra", "more", True, ["extra"], {"more": "more"}]] * 2,
    ),
    "wrapped by a decorator": (
        """
        import functools, inspect
        def traced(function):
            @functools.wraps(function)
            def inner(*args, **kwargs):
                return function(*args, **kwargs)
            inner.calls = 0
            return inner
        @traced
        def handler(event, context):
            "documented"
            handler.calls += 1
            return [handler.calls, handler.__doc__, str(inspect.signature(handler)),
                    inspect.unwrap(handler).__name__, sorted(vars(handler))]
        """,
        [
            [n, "documented", "(event, context)", "handler", ["__wrapped__", "calls"]]
            for n in (1, 2)
        ],
    ),
    "lru_cache, a generic function and a mock": (
        """
        import functools
        from unittest import mock
        class Context:
            def __init__(self):
                self.mock = mock.Mock(return_value="mocked")
                self.generic = functools.singledispatch(lambda *args: "generic")
                self.cached = functools.lru_cache(lambda *args: "cached")
        parts = Context()
        def side(event, context):
            return [parts.generic(event, context), parts.cached("e", "c"),
                    parts.cached.cache_info().hits, len(handler.mock_calls),
                    sorted(handler._mock_children), handler.call_count]
        handler = mock.Mock(side_effect=side)
        """,
        [["generic", "cached", n - 1, n, [], n] for n in (1, 2)],
    ),
    "an lru_cache that cannot hash the event": (
        """
        import functools
        @functools.lru_cache
        def handler(event, context):
            return "never"
        """,
        None,
    ),
    "a builtin function": ("from operator import is_ as handler", [False, False]),
    "a method of a string": ("""handler = "{0}".format""", ["{}", "{}"]),
    "a generator function": ("def handler(event, context):\n    yield 'part'", None),
    "an async generator": ("async def handler(event, context):\n    yield 'part'", None),
    "a coroutine that nobody runs": (
        """
        import warnings
        warnings.simplefilter("ignore")
        async def handler(event, context):
            return "never"
        """,
        None,
    ),
    "a generator's own method": (
        """
        def steps():
            event = yield
            while True:
                event = yield ["step", event]
        running = steps()
        next(running)
        handler = lambda event, context: running.send(event)
        """,
        [["step", {}]] * 2,
    ),
    "a lazy attribute of the module": (
        """
        made = []
        def __getattr__(name):
            if name != "handler":
                raise AttributeError(name)
            made.append(name)
            return lambda event, context: made
        """,
        [["handler"], ["handler"]],
    ),
    "an attribute of an object in the module's place": (
        """
        import sys
        class Module:
            reads = 0
            @property
            def handler(self):
                Module.reads += 1
                return lambda event, context: [Module.reads, type(sys.modules["app"]).__name__]
        sys.modules[__name__] = Module()
        """,
        [[1, "Module"], [1, "Module"]],
    ),
    "a module of a class that counts": (
        """
        import sys
        class Counting(type(sys)):
            reads = []
            def __getattribute__(self, name):
                if name == "handler":
                    Counting.reads.append(name)
                return super().__getattribute__(name)
        sys.modules[__name__].__class__ = Counting
        def handler(event, context):
            return Counting.reads
        """,
        [["handler"], ["handler"]],
    ),
    "replaced in the module by its first call": (
        """
        def handler(event, context):
            global handler
            handler = lambda event, context: "replaced"
            return "the first"
        """,
        ["the first", "the first"],
    ),
    "its code and defaults replaced by its first call": (
        """
        def other(event, context, *, name="none"):
            return ["other", name]
        def handler(event, context, *, name="own"):
            handler.__code__ = other.__code__
            handler.__kwdefaults__ = {"name": "changed"}
            return ["own", name]
        """,
        [["own", "own"], ["other", "changed"]],
    ),
    "one that looks at its own code": (
        """
        import inspect, sys
        def handler(event, context, closed=1):
            frame = sys._getframe()
            code = handler.__code__
            given = frame.f_back.f_locals["request_handler"]
            return [frame.f_code is code, code.co_argcount, code.co_varnames[:3], code.co_name,
                    inspect.getsource(handler).splitlines()[0], handler.__globals__ is globals(),
                    frame.f_back.f_code.co_name, given is handler]
        """,
        [
            [
                True,
                3,
                ["event", "context", "closed"],
                "handler",
                "def handler(event, context, closed=1):",
                True,
                "handle_event_request",
                True,
            ]
        ]
        * 2,
    ),
    "held by the runtime alone": (
        """
        import gc, sys, weakref
        class Handler:
            def __call__(self, event, context):
                if event == "drop":
                    del sys.modules["app"].handler
                gc.collect()
                return [alive() is self, "handler" in globals(), sys.getrefcount(self),
                        sorted(type(it).__name__ for it in gc.get_referrers(self))]
        handler = Handler()
        alive = weakref.ref(handler)
        """,
        None,
    ),
    "weak references, once what they refer to is dropped": (
        """
        import gc, weakref
        class Part:
            pass
        class Handler:
            def __init__(self):
                self.part = Part()
                self.part.cycle = self.part
                self.gone = []
                self.dropped = weakref.ref(self.part, lambda _: self.gone.append("gone"))
                weakref.finalize(self.part, self.gone.append, "finalized")
                self.weak = weakref.WeakValueDictionary(part=self.part)
            def __call__(self, event, context):
                before = [self.dropped() is self.part, len(self.weak)]
                self.part = None
                gc.collect()
                return [before, self.dropped() is None, len(self.weak), sorted(self.gone)]
        handler = Handler()
        """,
        [
            [[True, 1], True, 0, ["finalized", "gone"]],
            [[True, 0], True, 0, ["finalized", "gone"]],
        ],
    ),
    "event and context are gone after the call": (
        """
        import gc, weakref
        kept = []
        def handler(event, context):
            gone = [reference() is None for reference in kept]
            kept.append(weakref.ref(context))
            gc.collect()
            return gone
        """,
        [[], [True]],
    ),
    "pickled and copied": (
        """
        import copy, pickle
        class Handler:
            def __init__(self):
                self.names = {"a": [1, 2]}
            def __call__(self, event, context):
                copies = [pickle.loads(pickle.dumps(self)), copy.copy(self), copy.deepcopy(self)]
                same = [pickle.loads(pickle.dumps(plain)) is plain, copy.deepcopy(plain) is plain]
                return [[type(it) is Handler and vars(it) == vars(self) for it in copies], same,
                        copies[1].names is self.names, copies[2].names is self.names]
        def plain(event, context):
            pass
        handler = Handler()
        """,
        [[[True, True, True], [True, True], True, False]] * 2,
    ),
    "a module that is reloaded": (
        """
        import importlib, sys
        loads = globals().get("loads", 0) + 1
        def handler(event, context):
            module = importlib.reload(sys.modules["app"])
            return [module.loads, module.handler is given, vars(module) is globals()]
        given = globals().get("given", handler)
        """,
        [[2, False, True], [3, False, True]],
    ),
    "a module that is no longer there": (
        """
        import sys
        def handler(event, context):
            sys.modules.pop("app", None)
            import app
            return [app.handler is handler, sys.modules["app"] is app, __name__]
        """,
        [[False, True, "app"]] * 2,
    ),
    "traced and profiled from within": (
        """
        import sys
        def work():
            return sum(map(int, "123"))
        def handler(event, context):
            events = []
            def note(frame, event, argument):
                code = argument if event.startswith("c_") else frame.f_code
                events.append([event, getattr(code, "__name__", frame.f_code.co_name)])
                return note
            before = [repr(sys.gettrace()), repr(sys.getprofile())]
            sys.settrace(note)
            work()
            sys.settrace(None)
            sys.setprofile(note)
            work()
            sys.setprofile(None)
            return [before, events]
        """,
        None,
    ),
    "the stack while loading and in the handler": (
        """
        import inspect, sys
        def stack():
            frames = [[frame.function, frame.filename.rpartition("/")[2], frame.lineno]
                      for frame in inspect.stack()[1:]]
            return frames[: [name for name, *_ in frames].index("run") + 1]
        loading = stack()
        def handler(event, context):
            return [loading, stack(), sys._getframe(0).f_lineno]
        """,
        None,
    ),
    "context variables set while loading": (
        """
        import contextvars
        variable = contextvars.ContextVar("variable", default="unset")
        variable.set("loaded")
        def handler(event, context):
            seen = variable.get()
            variable.set("handled")
            return [seen, len(contextvars.copy_context())]
        """,
        [["loaded", 1], ["handled", 1]],
    ),
    "the runtime's loader as a tool finds it": (
        """
        import awslambdaric.bootstrap as runtime
        def handler(event, context):
            load = runtime._get_handler
            return [type(load).__name__, load.__module__, load.__qualname__, load.__code__.co_name]
        """,
        [["function", "awslambdaric.bootstrap", "_get_handler", "_get_handler"]] * 2,
    ),
    "a tool that has put its own loader there": (
        """
        import functools, json
        import awslambdaric.bootstrap as runtime
        original = runtime._get_handler
        asked = []
        def load(name):
            asked.append(name)
            return original(name)
        runtime._get_handler = load
        def handler(event, context):
            return [runtime._get_handler is load, load("app.handler") is handler,
                    runtime._get_handler("json.dumps") is json.dumps, asked]
        """,
        [
            [True, True, True, ["app.handler", "json.dumps"] * 1],
            [True, True, True, ["app.handler", "json.dumps"] * 2],
        ],
    ),
    "a loader kept from the import and asked at import, in threads": (
        """
        import threading
        from awslambdaric.bootstrap import _get_handler as load
        found = []
        def ask(name):
            try:
                found.append(load(name).__name__)
            except Exception as error:
                found.append([type(error).__name__, str(error), str(vars(error))])
        for name in ("json.dumps", "nowhere.handler", "json.nothing", "sys.exit", "nothing"):
            ask(name)
            thread = threading.Thread(target=ask, args=(name,))
            thread.start()
            thread.join()
        def handler(event, context):
            ask("json.loads")
            thread = threading.Thread(target=ask, args=("nowhere.handler",))
            thread.start()
            thread.join()
            return found
        """,
        None,
    ),
    "a loader kept from the import that fails in an invocation": (
        """
        import awslambdaric.bootstrap as runtime
        load = kept = runtime._get_handler
        def handler(event, context):
            name = "broken.handler" if event == "first" else "nowhere.handler"
            return kept(name)(event, context)
        """,
        None,
    ),
    "the runtime's loader failing in an invocation": (
        """
        import awslambdaric.bootstrap as runtime
        def handler(event, context):
            name = "broken.handler" if event == "first" else "wrong.handler"
            return runtime._get_handler(name)(event, context)
        """,
        None,
    ),
}
FILES = {
    "watch.py": WATCH,
    "broken.py": "def load():\n    raise OSError('not to be loaded')\n\n\nload()\n",
    "wrong.py": "def handler(event, context)\n    return 1\n",
}


@pytest.mark.each_end
@pytest.mark.parametrize("name", KINDS)
async def test_a_kind_of_handler(wrapper, runtime, make_function, name: str) -> None:
    code, answers = KINDS[name]
    function = make_function(
        runtime,
        f"import watch\n{textwrap.dedent(code)}",
        files=FILES,
        PYTHONHASHSEED="0",
    )
    events = ("first", "drop") if answers is None else ({}, {})
    bare, layered = await compare(function, wrapper, events=events)
    if answers is not None:
        assert bare.answers == answers
    # The comparison of lines is one of looks at the handler, and of lines that had a column.
    for loop in (bare, layered):
        looks = [json.loads(line) for part in loop.stdout for line in part if line[:1] == "{"]
        assert len(looks) == 2
    columns = [line for part in layered.raw for line in part if line.endswith("\tabout to call")]
    assert [line.split("\t")[3] for line in columns] == [
        "cold_start=true initialization_type=on-demand",
        "cold_start=false initialization_type=on-demand",
    ]
    assert [metric["start_type"] for metric in layered.metrics] == ["cold"]


@pytest.mark.each_end
async def test_a_profile_function_set_while_loading(wrapper, runtime, make_function) -> None:
    """It sees the runtime call the handler, and nothing of ours between the two."""
    function = make_function(
        runtime,
        """
        import sys
        calls = []
        def note(frame, event, argument):
            if event == "call":
                calls.append(frame.f_code.co_name)
        def handler(event, context):
            since = calls[calls.index("handle_event_request"):]
            calls.clear()
            return since
        sys.setprofile(note)
        """,
    )
    bare, _ = await compare(function, wrapper)
    assert bare.answers[0][0] == "handle_event_request"
    assert bare.answers[0][-1] == "handler"


async def test_a_tool_that_wraps_the_loader_at_import(
    wrapper, newest_runtime, make_function
) -> None:
    """It looks at what it wraps, as decorators do: the runtime's own function."""
    function = make_function(
        newest_runtime,
        """
        import inspect
        import awslambdaric.bootstrap as runtime
        original = runtime._get_handler
        look = [original.__name__, original.__module__, original.__doc__, original.__code__.co_name,
                inspect.isfunction(original), str(inspect.signature(original))]
        def handler(event, context):
            return [look, original is runtime._get_handler]
        """,
    )
    await compare(function, wrapper)
