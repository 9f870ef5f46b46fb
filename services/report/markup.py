"""The few pieces of HTML that the page is made of. Whatever is text is escaped here, and only here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

Cell = str | int | float | None

NONE = "–"
"""What stands where there is no number."""


def told(cell: Cell) -> str:
    """Return a value as people read it: whole numbers with commas, others as they were formatted, none as a dash."""
    if cell is None or cell == "":
        return NONE
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.4g}" if isinstance(cell, float) else cell


def paragraph(*texts: str) -> str:
    """Return a paragraph of text."""
    return f"<p>{escape(' '.join(texts))}</p>"


def bullets(texts: Iterable[str]) -> str:
    """Return a list of texts."""
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table with its caption; the first cell of a row is its heading, and numbers stand to the right."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(f"<tr>{_row(row)}</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(row: Sequence[Cell]) -> str:
    first, *others = row
    cells = [f'<th scope="row">{escape(told(first))}</th>']
    for cell in others:
        # A formatted number (+3.2, 99.1 %) is text by now.
        is_number = isinstance(cell, int | float) or (isinstance(cell, str) and cell[:1] in "+-−0123456789.")
        cells.append(f"<td{' class=number' if is_number or cell is None else ''}>{escape(told(cell))}</td>")
    return "".join(cells)


def figure(svg: str, says: str) -> str:
    """Return a chart with a sentence that says what it shows, for those who see it and for those who do not."""
    return (
        f'<figure><div class="chart" role="img" aria-label="{escape(says, quote=True)}">{svg}</div>'
        f"<figcaption>{escape(says)}</figcaption></figure>"
    )


def folded(summary: str, *parts: str) -> str:
    """Return parts that a reader opens: what stands beside a chart in full."""
    return f"<details><summary>{escape(summary)}</summary>{''.join(parts)}</details>"


def section(title: str, *parts: str) -> str:
    """Return a section under its heading."""
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def part(title: str, *parts: str) -> str:
    """Return a part of a section under a smaller heading."""
    return f"<h3>{escape(title)}</h3>{''.join(parts)}"
