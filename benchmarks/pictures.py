"""Plots of the benchmarks as SVG: bars below each other, and lines over time. Nothing is fetched and nothing
runs in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

BAR_WIDTH, BAR_STEP, LABEL_WIDTH = 460, 24, 330
LINE_WIDTH, LINE_HEIGHT, LEFT, COLUMNS = 480, 220, 70, 2
TITLE_HEIGHT, AXIS_HEIGHT = 34, 46
TICKS = 4
COLOURS = ("#0f766e", "#94a3b8", "#d97706", "#c81e1e", "#7c3aed")


@dataclass(frozen=True)
class Bars:
    """One row of bars: what each is called, and its value in `unit`."""

    title: str
    unit: str
    values: dict[str, float]


@dataclass(frozen=True)
class Lines:
    """One panel: points (x, y) by the name of their line, all in the same order in each panel; `limit` is
    drawn dashed."""

    title: str
    x_unit: str
    y_unit: str
    lines: dict[str, Sequence[tuple[float, float]]]
    limit: Sequence[tuple[float, float]] = ()


def bars(title: str, panels: Sequence[Bars]) -> str:
    """Draw panels of bars below each other."""
    drawn, top = [], TITLE_HEIGHT
    for panel in panels:
        longest = max((*panel.values.values(), 0.0)) or 1.0
        drawn.append(_text(0, top + 14, f"{panel.title} ({panel.unit})", bold=True))
        top += TITLE_HEIGHT - 10
        for name, value in panel.values.items():
            width = value / longest * BAR_WIDTH
            drawn.append(_text(LABEL_WIDTH - 8, top + 16, name, anchor="end"))
            drawn.append(f'<rect x="{LABEL_WIDTH}" y="{top + 3}" width="{width:.1f}" height="{BAR_STEP - 6}" fill="{COLOURS[0]}"/>')
            drawn.append(_text(LABEL_WIDTH + width + 5, top + 16, f"{value:,.2f}".removesuffix(".00")))
            top += BAR_STEP
        top += BAR_STEP
    return _picture(title, LABEL_WIDTH + BAR_WIDTH + 80, top, drawn)


def lines(title: str, panels: Sequence[Lines]) -> str:
    """Draw panels of lines, two beside each other, below the names of the lines."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.lines))
    colour = dict(zip(names, COLOURS, strict=False))
    drawn = []
    for place, name in enumerate(names):
        drawn.append(f'<rect x="{place * 130}" y="{TITLE_HEIGHT}" width="12" height="12" fill="{colour[name]}"/>')
        drawn.append(_text(place * 130 + 17, TITLE_HEIGHT + 11, name))
    drawn.append(_text(len(names) * 130, TITLE_HEIGHT + 11, "dashed: the ceiling"))
    height = TITLE_HEIGHT + LINE_HEIGHT + AXIS_HEIGHT
    for place, panel in enumerate(panels):
        left, top = place % COLUMNS * (LEFT + LINE_WIDTH + 30), 2 * TITLE_HEIGHT + place // COLUMNS * height
        drawn.append(f'<g transform="translate({left + LEFT} {top + TITLE_HEIGHT})">{_panel(panel, colour)}</g>')
    across, down = min(COLUMNS, len(panels)), -(-len(panels) // COLUMNS)
    return _picture(title, across * (LEFT + LINE_WIDTH + 30), 2 * TITLE_HEIGHT + down * height, drawn)


def _panel(panel: Lines, colour: dict[str, str]) -> str:
    points = [point for line in (*panel.lines.values(), panel.limit) for point in line]
    x_most, y_most = (max((point[axis] for point in points), default=1.0) or 1.0 for axis in (0, 1))

    def path(line: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{x / x_most * LINE_WIDTH:.1f},{(1 - y / y_most) * LINE_HEIGHT:.1f}" for x, y in line)

    drawn = [_text(-LEFT, -12, panel.title, bold=True)]
    for tick in range(TICKS + 1):
        x, y = tick / TICKS * LINE_WIDTH, (1 - tick / TICKS) * LINE_HEIGHT
        drawn.append(f'<path d="M0 {y:.1f}H{LINE_WIDTH}" stroke="#e2e8f0"/>')
        drawn.append(_text(-6, y + 4, f"{tick / TICKS * y_most:,.0f}", anchor="end"))
        drawn.append(_text(x, LINE_HEIGHT + 17, f"{tick / TICKS * x_most:,.4g}", anchor="middle"))
    drawn.append(_text(LINE_WIDTH / 2, LINE_HEIGHT + 34, f"{panel.y_unit}, over {panel.x_unit}", anchor="middle"))
    for name, line in panel.lines.items():
        drawn.append(f'<polyline points="{path(line)}" fill="none" stroke="{colour[name]}" stroke-width="2"/>')
    if panel.limit:
        drawn.append(f'<polyline points="{path(panel.limit)}" fill="none" stroke="#334155" stroke-dasharray="5 4"/>')
    return "".join(drawn)


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'


def _picture(title: str, width: float, height: float, drawn: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="sans-serif" font-size="12" fill="#0f172a">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{_text(0, 18, title, bold=True)}\n' + "\n".join(drawn) + "\n</svg>\n"
    )
