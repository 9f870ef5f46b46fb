"""The page's charts as SVG, made with altair and drawn by vl-convert, without a browser or a network.

Colours are Okabe and Ito's (Color Universal Design, 2008), which stay apart with every kind of colour blindness; no
chart tells anything by colour alone. Importing altair takes a third of a second, so it is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

Row = dict[str, Any]

FOR: Final = "#0072B2"
AGAINST: Final = "#D55E00"
NEUTRAL: Final = "#595959"
OTHER: Final = "#009E73"
_WIDTH: Final = 520
_ROW_HEIGHT: Final = 18
_LEVEL_HEIGHT: Final = 14


@dataclass(frozen=True)
class Step:
    """One bar of a waterfall, in bits: from `start` to `end`. `whole` bars are sums, which stand on zero."""

    name: str
    start: float
    end: float
    whole: bool = False


def waterfall(steps: Sequence[Step], threshold_bits: float) -> str:
    """Return a pair's terms one after another, each from where the one before it ended, with the link threshold."""
    import altair as alt

    rows = [
        {
            "term": step.name,
            "start": step.start,
            "end": step.end,
            "right": max(step.start, step.end),
            "bits": f"{round(step.end - step.start, 1) + 0.0:+.1f}",
            "way": "sum" if step.whole else "for" if step.end >= step.start else "against",
        }
        for step in steps
    ]
    base = alt.Chart(_data(rows)).encode(y=alt.Y("term:N", sort=None, title=None, axis=alt.Axis(labelLimit=320)))
    bars = base.mark_bar().encode(
        x=alt.X("start:Q", title="bits of evidence so far (log2 odds)"),
        x2="end:Q",
        color=alt.Color(
            "way:N",
            title=None,
            scale=alt.Scale(domain=["for", "against", "sum"], range=[FOR, AGAINST, NEUTRAL]),
            legend=alt.Legend(orient="top"),
        ),
    )
    labels = base.mark_text(align="left", dx=4).encode(x="right:Q", text="bits:N")
    threshold = (
        alt.Chart(_data([{"bits": threshold_bits}])).mark_rule(strokeDash=[4, 3], color="#000").encode(x="bits:Q")
    )
    return _svg(alt.layer(bars, threshold, labels), height=_ROW_HEIGHT * len(rows))


def level_weights(rows: Sequence[Row]) -> str:
    """Return the weight of each level of each comparison: rows of `comparison, level, bits`."""
    import altair as alt

    chart = (
        alt.Chart(_data(rows))
        .mark_bar()
        .encode(
            x=alt.X("bits:Q", title="weight in bits, log2(m/u)"),
            y=alt.Y("level:N", sort=None, title=None, axis=alt.Axis(labelLimit=320)),
            color=alt.condition("datum.bits >= 0", alt.value(FOR), alt.value(AGAINST)),
        )
    )
    return _by_comparison(chart, rows, bars=1)


def level_shares(rows: Sequence[Row]) -> str:
    """Return m and u of each level of each comparison side by side: rows of `comparison, level, among, share`."""
    import altair as alt

    chart = (
        alt.Chart(_data(rows))
        .mark_bar()
        .encode(
            x=alt.X("share:Q", title="probability of the level", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("level:N", sort=None, title=None, axis=alt.Axis(labelLimit=320)),
            yOffset=alt.YOffset("among:N", sort=None),
            color=alt.Color(
                "among:N",
                sort=None,
                title="among",
                scale=alt.Scale(domain=["one person (m)", "strangers (u)"], range=[FOR, AGAINST]),
                legend=alt.Legend(orient="top"),
            ),
        )
    )
    return _by_comparison(chart, rows, bars=2)


def distribution(rows: Sequence[Row], rules: tuple[float, float], decisions: Sequence[str]) -> str:
    """Return how many pairs have which log2 odds, a panel for each decision: rows of `decision, bits, pairs`.

    `rules` are the thresholds of links (dashed) and of reviews (dotted), in bits.
    """
    import altair as alt

    bars = (
        alt.Chart()
        .mark_bar(color=FOR)
        .encode(
            x=alt.X(
                "bits:Q",
                title="log2 odds with rivals counted",
                bin=alt.Bin(binned=True, step=1),
                axis=alt.Axis(tickCount=12),
            ),
            x2="upto:Q",
            y=alt.Y("pairs:Q", title="pairs"),
        )
    )
    lines = [
        alt.Chart().mark_rule(strokeDash=dash, color="#000").encode(x=alt.datum(bits))
        for bits, dash in zip(rules, ([4, 3], [1, 2]), strict=True)
    ]
    chart = (
        alt.layer(bars, *lines, data=_data([{**row, "upto": row["bits"] + 1} for row in rows]))
        .properties(width=_WIDTH, height=90)
        .facet(row=alt.Row("decision:N", sort=list(decisions), title=None, header=alt.Header(labelAngle=0)))
        .resolve_scale(y="independent")
    )
    return _drawn(chart)


def counts(rows: Sequence[Row], label: str) -> str:
    """Return bars of numbers by name: rows of `name, number`."""
    import altair as alt

    base = alt.Chart(_data(rows)).encode(
        x=alt.X("number:Q", title=label), y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=320))
    )
    bars = base.mark_bar(color=FOR)
    labels = base.mark_text(align="left", dx=4).encode(text=alt.Text("number:Q", format=","))
    return _svg(alt.layer(bars, labels), height=_ROW_HEIGHT * max(len(rows), 1))


def intervals(rows: Sequence[Row], label: str) -> str:
    """Return shares with their intervals: rows of `name, of, value, low, high`; `of` says what each is a share of."""
    import altair as alt

    names, kinds = ({row[key] for row in rows} for key in ("name", "of"))
    base = alt.Chart(_data(rows)).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=320)), yOffset=alt.YOffset("of:N", sort=None)
    )
    scale, legend = alt.Scale(zero=False), alt.Legend(orient="top") if len(kinds) > 1 else None
    lines = base.mark_rule(color=NEUTRAL).encode(x=alt.X("low:Q", title=label, scale=scale), x2="high:Q")
    points = base.mark_point(filled=True, size=50, opacity=1).encode(
        x=alt.X("value:Q", scale=scale),
        color=alt.Color(
            "of:N", title=None, sort=None, scale=alt.Scale(range=[FOR, AGAINST, OTHER, NEUTRAL]), legend=legend
        ),
        shape=alt.Shape("of:N", title=None, sort=None, legend=legend),
    )
    return _svg(alt.layer(lines, points), height=_ROW_HEIGHT * max(len(names), 1) * max(len(kinds), 1))


def _by_comparison(chart: Any, rows: Sequence[Row], bars: int) -> str:
    """Return a panel for each comparison, with so many bars to a level."""
    import altair as alt

    order = list(dict.fromkeys(row["comparison"] for row in rows))
    header = alt.Header(labelAngle=0, labelAnchor="start", labelOrient="top", labelFontWeight="bold")
    faceted = (
        chart.properties(width=_WIDTH, height=alt.Step(_LEVEL_HEIGHT // bars))
        .facet(row=alt.Row("comparison:N", sort=order, title=None, header=header), spacing=12)
        .resolve_scale(y="independent")
    )
    return _drawn(faceted)


def _svg(chart: Any, height: int) -> str:
    return _drawn(chart.properties(width=_WIDTH, height=height))


def _drawn(chart: Any) -> str:
    import vl_convert

    from services.report.svg import embedded

    styled = chart.configure(
        font="system-ui, sans-serif", background="white", view={"stroke": None}, axis={"labelFontSize": 11}
    )
    return embedded(vl_convert.vegalite_to_svg(styled.to_dict()))


def _data(rows: Sequence[Row]) -> Any:
    import altair as alt

    return alt.InlineData(values=list(rows))
