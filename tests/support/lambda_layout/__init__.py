"""Lambda's file layout, in a mount namespace of the test's own.

``/opt`` is the unzipped layer, ``/var/task`` the function, ``/var/lang`` a CPython of this machine,
``/var/runtime`` what starts it. All of it is read-only but ``/tmp``, as on Lambda.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from coldstart_cli.local_lambda import Function
from coldstart_cli.local_lambda.sandbox import BOOTSTRAP

_HERE = Path(__file__).parent
_BUILD = _HERE.parents[2] / "build"
# What pip installs for awslambdaric.
_RUNTIME_PACKAGES = ("awslambdaric", "runtime_client*", "simplejson", "snapshot_restore_py*")


@dataclass(frozen=True)
class Layout:
    """Where the parts are on this machine.

    Attributes:
        opt: the unzipped layer.
        task_root: the function.
        runtime: an environment with awslambdaric, on the CPython that is to be ``/var/lang``.
        version: of that CPython, as in ``3.12``.
        scratch: an empty folder; ``/tmp`` is in there, one for each layout.
        site_customization: Python that runs before all else, or nothing.
    """

    opt: Path
    task_root: Path
    runtime: Path
    version: str
    scratch: Path
    site_customization: str = ""

    @property
    def tmp(self) -> Path:
        return self.scratch / "tmp"

    def command(self, *command: str | Path, also: dict[Path, str] | None = None) -> list[str]:
        """The command line that runs ``command`` in this layout, with /var/task as its folder.

        Args:
            *command: a program and its arguments, by their paths in the layout.
            also: other folders of this machine, and where they are to be.
        """
        root = self.scratch / "root"
        for folder in (root, self.tmp):
            folder.mkdir(exist_ok=True)
        self.tmp.chmod(0o1777)
        self.opt.chmod(0o755)  # pytest's folders are its user's alone
        mounts = {self.opt: "/opt", self.task_root: "/var/task", self.tmp: "/tmp"}
        mounts |= self._runtime_mounts() | (also or {})
        places = [str(place) for mount in mounts.items() for place in mount]
        return [*_NAMESPACE, str(_HERE / "enter"), str(root), *places, "--", *map(str, command)]

    def environment(self) -> dict[str, str]:
        """Lambda's environment variables that have to do with its file layout."""
        return {
            "LAMBDA_TASK_ROOT": "/var/task",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LD_LIBRARY_PATH": "/var/lang/lib:/var/runtime:/var/task:/opt/lib",
            "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
        }

    def _runtime_mounts(self) -> dict[Path, str]:
        prefix = Path(
            subprocess.check_output(
                [self.runtime / "bin/python", "-c", "import sys; print(sys.base_prefix)"], text=True
            ).strip()
        )
        starting, site_packages = self.scratch / "runtime", self.scratch / "site-packages"
        for folder in (starting, site_packages):
            folder.mkdir(exist_ok=True)
        bootstrap = starting / "bootstrap"
        bootstrap.write_text((_HERE / "bootstrap").read_text().replace("3.X", self.version))
        bootstrap.chmod(0o755)
        shutil.copy(BOOTSTRAP, starting)
        inside = f"lib/python{self.version}/site-packages"
        # Up to Python 3.10 the runtime's packages lie in /var/runtime, later in site-packages.
        packages = starting if int(self.version.partition(".")[2]) <= 10 else site_packages
        for pattern in _RUNTIME_PACKAGES:
            for source in (self.runtime / inside).glob(pattern):
                copy = shutil.copytree if source.is_dir() else shutil.copy
                copy(source, packages / source.name)
        (site_packages / "sitecustomize.py").write_text(self.site_customization)
        mounts = {
            prefix: "/var/lang",
            starting: "/var/runtime",
            site_packages: f"/var/lang/{inside}",
        }
        if prefix.is_relative_to(_BUILD):
            # Made by `make pythons`: it may have a loader of its own, and knows it by this path.
            mounts[prefix.parent] = str(prefix.parent)
        return mounts


def in_layout(function: Function, layout: Layout) -> Function:
    """The function as it is described there, with the layer as its exec wrapper."""
    environment = {**layout.environment(), "AWS_LAMBDA_EXEC_WRAPPER": "/opt/coldstart-wrapper"}
    return replace(function, environment={**environment, **function.environment})


def _namespace() -> list[str]:
    # With --kill-child nothing of what runs in there is left when unshare is killed.
    command = ["unshare", "--mount", "--propagation", "private", "--pid", "--kill-child"]
    return command if os.geteuid() == 0 else [*command, "--map-root-user"]


_NAMESPACE = _namespace()


def require() -> None:
    """Skip the test where the kernel refuses such a layout."""
    script = 'mount -t tmpfs none "$0" && mkdir "$0/proc" && mount -t proc proc "$0/proc"'
    probe = [*_NAMESPACE, "bash", "-c", script, "/tmp"]
    run = subprocess.run(probe, capture_output=True, text=True)
    if run.returncode != 0:
        unavailable(f"no mount namespace with Lambda's file layout here: {run.stderr.strip()}")


def unavailable(reason: str) -> None:
    """Skip the test, or let it fail where skipped tests would go unnoticed."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
