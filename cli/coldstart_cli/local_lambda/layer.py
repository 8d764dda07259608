"""Finds the built layer and unpacks it as Lambda does under /opt."""

from __future__ import annotations

import zipfile
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[3]


def default_layer() -> Path:
    """Where ``make build`` puts the layer in this checkout."""
    return _CHECKOUT / "dist/coldstart-layer.zip"


def unpack_layer(archive: Path, folder: Path) -> Path:
    """Unpack the layer, modes included.

    Args:
        archive: the zip file.
        folder: what stands for /opt.

    Returns:
        The exec wrapper in ``folder``.
    """
    with zipfile.ZipFile(archive) as layer:
        for entry in layer.infolist():
            path = Path(layer.extract(entry, folder))
            mode = entry.external_attr >> 16
            if mode:  # zipfile leaves modes to its caller
                path.chmod(mode)
    return folder / "coldstart-wrapper"
