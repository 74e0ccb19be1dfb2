"""Charts as inline SVG: no script, no style element, nothing fetched, readable by a screen reader.

Vega-Lite draws them from plain dicts. Text takes the colour of the page, so that a chart reads in the dark and on paper; the colours of
bars keep their contrast on both grounds and differ in lightness, so that they also differ in grey.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

WIDTH = 380  # narrow enough that its text stays readable on a telephone
COLOURS = {"delete": "#c81e1e", "anonymise": "#d97706", "keep": "#0f766e", "soon": "#2563eb"}
NAMES = {"delete": "to delete", "anonymise": "to anonymise", "keep": "kept", "soon": "due soon"}
LONGEST_LABEL = 48

Bar = tuple[str, Mapping[str, int]]  # what is counted, and how many of each kind in COLOURS


def bar_chart(bars: Sequence[Bar], *, title: str) -> str:
    """Lying bars, one below the other as given, each with its label above and its total at the end; empty for no bars.

    `title` is read aloud in place of the picture; each piece of a bar says what it counts.
    """
    if not bars:
        return ""
    kinds = [kind for kind in COLOURS if any(counts.get(kind) for _, counts in bars)]
    pieces: list[dict[str, object]] = []
    totals: list[dict[str, object]] = []
    for place, (label, counts) in enumerate(bars):
        start = 0
        for kind in kinds:
            if number := counts.get(kind, 0):
                pieces.append(
                    {"place": place, "from": start, "to": start + number, "kind": NAMES[kind], "said": f"{label}: {number} {NAMES[kind]}"}
                )
                start += number
        totals.append({"place": place, "zero": 0, "label": _shortened(label), "total": start, "shown": f"{start:,}".replace(",", "\u202f")})
    longest = max(1, *(int(str(total["total"])) for total in totals))
    across = {"type": "quantitative", "axis": None, "scale": {"domain": [0, longest * 1.16], "nice": False}}
    down = {"field": "place", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0.6, "paddingOuter": 0.35}}
    text = {"type": "text", "color": "currentColor", "aria": False}
    spec: dict[str, object] = {
        "width": WIDTH,
        "height": {"step": 40},
        "background": None,
        "padding": 2,
        "config": {"view": {"stroke": None}, "font": "system-ui, sans-serif"},
        "layer": [
            {
                "data": {"values": pieces},
                "mark": {"type": "bar", "yOffset": 7, "y2Offset": 7, "cornerRadius": 2},
                "encoding": {
                    "y": down,
                    "x": {"field": "from", **across},
                    "x2": {"field": "to"},
                    "color": {
                        "field": "kind",
                        "type": "nominal",
                        "scale": {"domain": [NAMES[kind] for kind in kinds], "range": [COLOURS[kind] for kind in kinds]},
                        "legend": {
                            "title": None,
                            "orient": "top",
                            "labelColor": "currentColor",
                            "labelFontSize": 13,
                            "symbolType": "square",
                        }
                        if len(kinds) > 1
                        else None,
                    },
                    "description": {"field": "said"},
                },
            },
            {
                "data": {"values": totals},
                "mark": {**text, "align": "left", "dy": -10, "fontSize": 13},
                "encoding": {"y": down, "x": {"field": "zero", **across}, "text": {"field": "label"}},
            },
            {
                "data": {"values": totals},
                "mark": {**text, "align": "left", "dx": 5, "dy": 8, "fontSize": 13, "fontWeight": "bold"},
                "encoding": {"y": down, "x": {"field": "total", **across}, "text": {"field": "shown"}},
            },
        ],
    }
    return _svg(spec, title)


def day_chart(days: Sequence[tuple[str, int]], *, title: str) -> str:
    """Standing bars over a row of days in ISO form, earliest first; empty for no days."""
    if not days:
        return ""
    values = [{"day": day, "units": units, "said": f"{day}: {units} {'unit' if units == 1 else 'units'}"} for day, units in days]
    step = max(1, -(-max(units for _, units in days) // 4))
    ticks = [step * place for place in range(5)]  # whole numbers: half a unit does not exist
    axis = {"title": None, "labelColor": "currentColor", "labelFontSize": 12, "tickColor": "currentColor", "domainColor": "currentColor"}
    spec: dict[str, object] = {
        "width": WIDTH,
        "height": 130,
        "background": None,
        "padding": 2,
        "config": {"view": {"stroke": None}, "font": "system-ui, sans-serif"},
        "data": {"values": values},
        "mark": {"type": "bar", "color": COLOURS["soon"], "width": {"band": 0.75}},
        "encoding": {
            "x": {
                "field": "day",
                "type": "temporal",
                "timeUnit": "utcyearmonthdate",
                "scale": {"type": "utc"},
                "axis": {**axis, "format": "%m-%d", "grid": False, "tickCount": 5},
            },
            "y": {
                "field": "units",
                "type": "quantitative",
                "scale": {"domain": [0, ticks[-1]], "nice": False},
                "axis": {**axis, "values": ticks, "format": "d", "gridColor": "currentColor", "gridOpacity": 0.15},
            },
            "description": {"field": "said"},
        },
    }
    return _svg(spec, title)


def _shortened(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1].rstrip() + "…"


def _svg(spec: dict[str, object], title: str) -> str:
    """Draw, then let the picture take the width it is given and say its title."""
    import vl_convert  # here, because it starts a JavaScript engine that only a report in HTML needs

    svg = vl_convert.vegalite_to_svg({"$schema": "https://vega.github.io/schema/vega-lite/v5.json", **spec}, allowed_base_urls=[])
    svg = re.sub(r' (?:xmlns(?::xlink)?|version|class)="[^"]*"', "", svg)  # not needed inside HTML; no address stays in the report
    width = re.search(r'width="([0-9.]+)"', svg)
    limit = f' width="{width.group(1)}"' if width else ""
    return re.sub(
        r'<svg width="[0-9.]+" height="[0-9.]+"', f'<svg role="graphics-document" aria-label="{escape(title)}"{limit}', svg, count=1
    )
