"""Sub-interpreters, which from CPython 3.12 on have a path of their own: nothing of ours is there.

The first entry of that path is the folder of the script that Python was started with. That is the
shim's in place of the runtime's own, with a module of the same name and no other in it. Their
``sys.argv`` has the shim in front, too: Python keeps the process's command line where nobody can
change it.
"""

from __future__ import annotations

import json

import pytest
from conftest import RUNTIMES, python_version
from with_and_without import compare


def since(version: str) -> pytest.MarkDecorator:
    """On the oldest CPython from this version on, and on the newest."""
    minor = int(version.removeprefix("3."))
    later = [it for it in RUNTIMES if int(python_version(it).removeprefix("3.")) >= minor]
    runtimes = [later[0], later[-1]] if len(later) > 1 else later
    return pytest.mark.parametrize("runtime", runtimes, ids=lambda it: it.name)


# Runs CODE in a sub-interpreter and answers what it has written into a pipe.
RUN = """
    import os, sys
    if sys.version_info >= (3, 13):
        import _interpreters as interpreters
    else:
        import _xxsubinterpreters as interpreters

    CODE = '''
    import importlib.util, json, os, pkgutil, sys
    first = sys.path[0]
    looks = {}
    looks["importable"] = sorted({module.name for module in pkgutil.iter_modules()})
    looks["beside"] = sorted(module.name for module in pkgutil.iter_modules([first]))
    looks["path"] = sys.path[1:]
    names = ["coldstart_layer", "coldstart_layer.start", "settings", "metrics", "process", "output"]
    looks["found"] = []
    for name in names:
        try:
            looks["found"].append(importlib.util.find_spec(name) is not None)
        except ImportError:
            looks["found"].append("no package")
    looks["modules"] = sorted(name for name in sys.modules if "coldstart" in name)
    looks["argv"] = sys.argv[-1:]
    looks["finders"] = [[type(it).__name__ for it in sys.meta_path], len(sys.path_hooks)]
    looks["main"] = sorted(sys.modules["__main__"].__dict__.keys() - set(globals()))
    looks["hooks"] = [sys.getprofile() is None, sys.gettrace() is None]
    looks["names"] = sorted(name for name in globals() if name not in ("first", "looks", "names"))
    import logging
    looks["make_record"] = logging.Logger.makeRecord.__module__
    os.write(PIPE, json.dumps(looks).encode())
    '''

    def handler(event, context):
        reading, writing = os.pipe()
        code = CODE.replace("PIPE", str(writing))
        failed = interpreters.run_string(interpreters.create(), code)
        os.close(writing)
        return str(failed) if failed else os.read(reading, 65536).decode()
"""


@since("3.12")
async def test_what_a_sub_interpreter_finds(wrapper, runtime, make_function) -> None:
    bare, _ = await compare(make_function(runtime, RUN), wrapper)
    for answer in bare.answers:
        look = json.loads(answer)
        # All that lies there; on Lambda, too, it is called bootstrap.
        assert look["beside"] == ["bootstrap"]
        assert look["found"] == [False, "no package", False, False, False, False]


@since("3.14")
async def test_interpreters_and_a_pool_of_them(wrapper, runtime, make_function) -> None:
    """With functions of the function's own module too, whatever becomes of them without us."""
    function = make_function(
        runtime,
        """
        import json, math, operator
        from concurrent import interpreters
        from concurrent.futures import InterpreterPoolExecutor

        def square(number):
            return number * number

        def outcome(call, *args):
            try:
                return call(*args)
            except Exception as error:
                return [type(error).__name__, str(error)]

        def handler(event, context):
            one = interpreters.create()
            queue = interpreters.create_queue()
            one.prepare_main(queue=queue)
            one.exec("import sys; queue.put('coldstart_layer' in sys.modules)")
            answers = [queue.get(), one.call(math.sqrt, 4), outcome(one.call, square, 3)]
            answers.append(outcome(one.exec, "import bootstrap_of_nobody"))
            one.close()
            with InterpreterPoolExecutor(max_workers=2) as pool:
                answers.append(list(pool.map(math.sqrt, [1, 4, 9])))
                answers.append(outcome(pool.submit(json.dumps, {"a": 1}).result))
                answers.append(outcome(pool.submit(square, 3).result))
            return answers
        """,
    )
    bare, _ = await compare(function, wrapper, events=({},))
    (answer,) = bare.answers
    assert answer[:2] == [False, 2.0]
    assert answer[4:6] == [[1.0, 2.0, 3.0], '{"a": 1}']
