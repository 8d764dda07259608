"""Draws the added init of the layer and of the alternatives as bars, for the README.

As SVG whose text stays text and whose colors are CSS, so that one picture does for light and dark
pages; plotting libraries write a color into each shape. It has a ground of its own, since a page
can be dark where the reader's system is light. The scale is linear: a bar's length is what it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import drawsvg

_WIDTH, _MARGIN, _LABELS, _VALUES = 780, 20, 232, 90  # in pixels, as all that follows
_ROW, _BAR, _TOP, _BOTTOM = 27, 15, 54, 44
_STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif;
  fill: #1f2328; }
.title { font-weight: 600; }
.note { fill: #59636e; }
.ours text, text.ours { font-weight: 600; }
rect { fill: #9aa4af; }
rect.ground { fill: #ffffff; }
rect.ours { fill: #0969da; }
.axis { stroke: #9aa4af; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .note { fill: #9198a1; }
  rect { fill: #656c76; }
  rect.ground { fill: #0d1117; }
  rect.ours { fill: #4493f8; }
  .axis { stroke: #656c76; }
}
"""


@dataclass(frozen=True)
class Bar:
    """A row of the chart: ``value`` in milliseconds, ``ours`` for the one that stands out."""

    label: str
    value: float
    ours: bool = False


def draw(bars: Sequence[Bar], title: str, note: str, file: Path) -> None:
    """Write the chart.

    Args:
        bars: from top to bottom.
        title: what the numbers are.
        note: how they were measured.
        file: where to.
    """
    height = _TOP + _ROW * len(bars) + _BOTTOM
    drawing = drawsvg.Drawing(
        _WIDTH, height, role="img", **{"aria-labelledby": "title description"}
    )
    drawing.append_title(title, id="title")
    values = "; ".join(f"{bar.label}: {_milliseconds(bar.value)}" for bar in bars)
    drawing.append(drawsvg.Raw(f'<desc id="description">{escape(f"{values}. {note}")}</desc>'))
    drawing.append_css(_STYLE)
    drawing.append(drawsvg.Rectangle(0, 0, _WIDTH, height, rx=8, class_="ground"))
    drawing.append(drawsvg.Text(title, 16, _MARGIN, 30, class_="title"))
    longest = max(bar.value for bar in bars)
    for number, bar in enumerate(bars):
        _append_bar(drawing, bar, _TOP + _ROW * number, longest)
    drawing.append(drawsvg.Line(_LABELS, _TOP - 4, _LABELS, height - _BOTTOM + 2, class_="axis"))
    drawing.append(drawsvg.Text(note, 12, _MARGIN, height - 16, class_="note"))
    drawing.save_svg(str(file))


def _append_bar(drawing: drawsvg.Drawing, bar: Bar, top: float, longest: float) -> None:
    kind = "ours" if bar.ours else "other"
    length = max(bar.value, 0) / longest * (_WIDTH - _LABELS - _VALUES)
    baseline = top + _ROW / 2 + 4.5
    drawing.append(
        drawsvg.Text(bar.label, 14, _LABELS - 10, baseline, text_anchor="end", class_=kind)
    )
    drawing.append(
        drawsvg.Rectangle(_LABELS, top + (_ROW - _BAR) / 2, round(length, 1), _BAR, class_=kind)
    )
    drawing.append(
        drawsvg.Text(
            _milliseconds(bar.value), 14, round(_LABELS + length + 8, 1), baseline, class_=kind
        )
    )


def _milliseconds(value: float) -> str:
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"
