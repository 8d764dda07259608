"""Stands for /var/runtime/bootstrap.py: sets up the path as Lambda does and starts the runtime."""

import os
import site
import sys

import awslambdaric.__main__ as awslambdaricmain


def main() -> None:
    """Path first, in Lambda's order of precedence, then the runtime's loop."""
    task_root = os.environ["LAMBDA_TASK_ROOT"]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    layers = [f"/opt/python/lib/python{version}/site-packages", "/opt/python"]
    if "PYTHONPATH" in os.environ:
        layers = []
    sys.path[:0] = [task_root, *layers]
    for folder in [task_root, *layers]:
        site.addsitedir(folder)
    if layers:
        os.environ["PYTHONPATH"] = os.environ["LAMBDA_RUNTIME_DIR"]
    awslambdaricmain.main([task_root, os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
