"""Charts as inline SVG: no script, no style element, nothing fetched, readable by a screen reader.

Here is where everything stands; `templates/charts.svg.j2` draws it. Text takes the colour of the page, so
that a chart reads in the dark and on paper; the colours of bars keep their contrast on both grounds and
differ in lightness, so that they also differ in grey."""

from collections.abc import Mapping, Sequence
from datetime import date

from markupsafe import Markup

from crm_compliance.reports.parts.sentences import grouped
from crm_compliance.reports.parts.template import template

COLOURS = {"delete": "#c81e1e", "anonymise": "#d97706", "keep": "#0f766e", "soon": "#2563eb"}
NAMES = {"delete": "to delete", "anonymise": "to anonymise", "keep": "kept", "soon": "due soon"}
LONGEST_LABEL = 48

# All lengths in units of the picture, which is shown a pixel each where there is room.
WIDTH = 384  # narrow enough that its text stays readable on a telephone
LEGEND_HEIGHT = 24
ROW_HEIGHT = 40
DIGIT_WIDTH = 8.5  # of a total, in bold
DAYS_HEIGHT = 130
AXIS_WIDTH = 44  # room for the numbers before the days
TICKS = 4
DAY_MARKS = 5

Bar = tuple[str, Mapping[str, int]]  # what is counted, and how many of each kind in COLOURS


def bar_chart(bars: Sequence[Bar], *, title: str) -> Markup:
    """Draw bars from left to right, one below the other as given, each with its label above and its total at
    the end. Empty for no bars. `title` is read aloud in place of the picture; each piece of a bar says what
    it counts."""
    if not bars:
        return Markup("")
    kinds = [kind for kind in COLOURS if any(counts.get(kind) for _, counts in bars)]
    longest = max(1, *(sum(counts.get(kind, 0) for kind in kinds) for _, counts in bars))
    scale = (WIDTH - 10 - DIGIT_WIDTH * len(grouped(longest))) / longest  # its total stands behind the longest bar
    top = LEGEND_HEIGHT if len(kinds) > 1 else 0
    rows = []
    for place, (label, counts) in enumerate(bars):
        pieces, start = [], 0
        for kind in kinds:
            if number := counts.get(kind, 0):
                said = f"{label}: {number} {NAMES[kind]}"
                pieces.append({"x": start * scale, "width": number * scale, "colour": COLOURS[kind], "said": said})
                start += number
        rows.append(
            {"y": top + place * ROW_HEIGHT, "label": _shortened(label), "pieces": pieces, "end": start * scale, "shown": grouped(start)}
        )
    legend = [(NAMES[kind], COLOURS[kind]) for kind in kinds] if len(kinds) > 1 else []
    return _drawn("bar_chart", title=title, width=WIDTH, height=top + len(bars) * ROW_HEIGHT, legend=legend, rows=rows)


def day_chart(days: Sequence[tuple[str, int]], *, title: str) -> Markup:
    """Draw upright bars over a row of days in ISO form, earliest first; a day that is not named has none.
    Empty for no days."""
    if not days:
        return Markup("")
    step = max(1, -(-max(units for _, units in days) // TICKS))
    ticks = [step * place for place in range(TICKS + 1)]  # whole numbers: half a unit does not exist
    first = date.fromisoformat(days[0][0])
    span = (date.fromisoformat(days[-1][0]) - first).days + 1
    across, up = (WIDTH - AXIS_WIDTH) / span, DAYS_HEIGHT / ticks[-1]
    bars = []
    for day, units in days:
        left = AXIS_WIDTH + (date.fromisoformat(day) - first).days * across
        said = f"{day}: {units} {'unit' if units == 1 else 'units'}"
        bars.append(
            {"x": left + across / 8, "width": across * 3 / 4, "height": units * up, "middle": left + across / 2, "day": day, "said": said}
        )
    marked = bars[:: -(-len(bars) // DAY_MARKS)]
    lines = [(tick, DAYS_HEIGHT - tick * up) for tick in ticks]
    return _drawn(
        "day_chart",
        title=title,
        width=WIDTH,
        bottom=DAYS_HEIGHT,
        left=AXIS_WIDTH,
        bars=bars,
        marked=marked,
        lines=lines,
        colour=COLOURS["soon"],
    )


def _shortened(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1].rstrip() + "…"


def _drawn(picture: str, **pieces: object) -> Markup:
    return Markup(getattr(template("charts.svg.j2").module, picture)(**pieces).strip())
