"""A filter's meaning: a small tree with negation pushed to its leaves, in SQL's three-valued logic.

A leaf says that a feature's value is *among* some values (bands, for whole numbers) or that it is *unknown*. The
tree prints itself as canonical text, so that two spellings of one question are one entry in the ledger, and
compiles to Polars. De Morgan's laws and complements of values hold in Kleene's logic: null stays null through both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from schemas.features import FeatureDefinition, FeatureType

Value = str | bool | int
"""A category's text, a boolean, or the index of a whole number's band."""


@dataclass(frozen=True)
class Among:
    """The feature is one of `values`; with `negated` none of them (only where the values are not a fixed list)."""

    feature: FeatureDefinition
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True)
class Unknown:
    """The feature is unknown, or with `negated` known; the one leaf that is never itself unknown."""

    feature: FeatureDefinition
    negated: bool = False


@dataclass(frozen=True)
class Constant:
    """True or false of everybody."""

    value: bool


@dataclass(frozen=True)
class Every:
    """All parts hold (AND)."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Some:
    """At least one part holds (OR)."""

    parts: tuple[Node, ...]


Node = Among | Unknown | Constant | Every | Some


def domain(feature: FeatureDefinition) -> tuple[Value, ...] | None:
    """Return every value a feature can have, in order; None where a geography gives them."""
    if feature.type is FeatureType.BOOLEAN:
        return (False, True)
    if feature.type is FeatureType.INTEGER:
        return tuple(range(len(feature.band_edges)))
    return feature.values or None


def among(feature: FeatureDefinition, values: set[Value]) -> Among:
    """Return the leaf for these values, in the order of the feature's own list."""
    known = domain(feature)
    ordered = sorted(values, key=str) if known is None else [v for v in known if v in values]
    return Among(feature, tuple(ordered))


def negate(node: Node) -> Node:
    """Return the node that is true where this one is false, false where it is true, and unknown where it is
    unknown.
    """
    match node:
        case Among(feature, values, negated):
            known = domain(feature)
            if known is None:
                return Among(feature, values, not negated)
            return among(feature, set(known) - set(values))
        case Unknown(feature, negated):
            return Unknown(feature, not negated)
        case Constant(value):
            return Constant(not value)
        case Every(parts):
            return some([negate(part) for part in parts])
        case Some(parts):
            return every([negate(part) for part in parts])


def every(parts: list[Node]) -> Node:
    """Return the conjunction, flat, sorted and without repeats; values of one feature are intersected in one leaf."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Every) else (part,))]
    if Constant(False) in flat:
        return Constant(False)
    merged = _merged(flat, set.intersection)
    return _joined(Every, [part for part in merged if part != Constant(True)], Constant(True))


def some(parts: list[Node]) -> Node:
    """Return the disjunction, flat, sorted and without repeats; values of one feature are merged into one leaf."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Some) else (part,))]
    if Constant(True) in flat:
        return Constant(True)
    merged = _merged(flat, set.union)
    return _joined(Some, [part for part in merged if part != Constant(False)], Constant(False))


def _merged(parts: list[Node], combine: Callable[[set[Value], set[Value]], set[Value]]) -> list[Node]:
    """Return the parts with one leaf a feature for those that list its values; exact in Kleene logic, null included."""
    leaves: dict[str, tuple[FeatureDefinition, set[Value]]] = {}
    rest: list[Node] = []
    for part in parts:
        if isinstance(part, Among) and not part.negated and domain(part.feature) is not None:
            held = leaves.get(part.feature.name)
            values = set(part.values) if held is None else combine(held[1], set(part.values))
            leaves[part.feature.name] = (part.feature, values)
        else:
            rest.append(part)
    return [*(among(feature, values) for feature, values in leaves.values()), *rest]


def _joined(kind: type[Every] | type[Some], parts: list[Node], empty: Constant) -> Node:
    unique = sorted(dict.fromkeys(parts), key=text)
    if not unique:
        return empty
    return unique[0] if len(unique) == 1 else kind(tuple(unique))


def features_in(node: Node) -> Iterator[FeatureDefinition]:
    """Yield the feature of every leaf."""
    match node:
        case Among(feature) | Unknown(feature):
            yield feature
        case Every(parts) | Some(parts):
            for part in parts:
                yield from features_in(part)
        case Constant():
            pass


def text(node: Node) -> str:
    """Return the canonical text; parsing it gives the node again."""
    match node:
        case Among():
            return _among_text(node)
        case Unknown(feature, negated):
            return f"{feature.name} IS {'NOT ' * negated}NULL"
        case Constant(value):
            return str(value).upper()
        case Every(parts):
            return " AND ".join(f"({text(part)})" if isinstance(part, Some) else text(part) for part in parts)
        case Some(parts):
            return " OR ".join(f"({text(part)})" if isinstance(part, Every) else text(part) for part in parts)


def _among_text(node: Among) -> str:
    name = node.feature.name
    if not node.values:
        # Nothing is left, as of `NOT age >= 0`: false where the value is known, unknown where it is not.
        return f"NOT ({_among_text(among(node.feature, set(domain(node.feature) or ())))})"
    if node.feature.type is FeatureType.BOOLEAN:
        terms = [name if value else f"NOT {name}" for value in node.values]
    elif node.feature.type is FeatureType.INTEGER:
        terms = [_range_text(node.feature, first, last) for first, last in _runs(node.values)]
    else:
        quoted = ["'" + str(value).replace("'", "''") + "'" for value in node.values]
        single, several = ("<>", "NOT IN") if node.negated else ("=", "IN")
        terms = [f"{name} {single} {quoted[0]}" if len(quoted) == 1 else f"{name} {several} ({', '.join(quoted)})"]
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


def _runs(bands: tuple[Value, ...]) -> list[tuple[int, int]]:
    """Return the first and last index of each run of neighbouring bands."""
    runs: list[tuple[int, int]] = []
    for band in map(int, bands):
        if runs and runs[-1][1] == band - 1:
            runs[-1] = (runs[-1][0], band)
        else:
            runs.append((band, band))
    return runs


def _range_text(feature: FeatureDefinition, first: int, last: int) -> str:
    edges, name = feature.band_edges, feature.name
    if last == len(edges) - 1:
        return f"{name} >= {edges[first]}"
    if first == 0:
        return f"{name} < {edges[last + 1]}"
    low, high = edges[first], edges[last + 1] - 1
    return f"{name} = {low}" if low == high else f"{name} BETWEEN {low} AND {high}"


def expression(node: Node) -> pl.Expr:
    """Return the Polars expression: true, false, or null where the answer is unknown."""
    match node:
        case Among():
            return _among_expression(node)
        case Unknown(feature, negated):
            column = pl.col(feature.name)
            return column.is_not_null() if negated else column.is_null()
        case Constant(value):
            return pl.lit(value)
        case Every(parts):
            return pl.all_horizontal(*(expression(part) for part in parts))
        case Some(parts):
            return pl.any_horizontal(*(expression(part) for part in parts))


def _among_expression(node: Among) -> pl.Expr:
    column = pl.col(node.feature.name)
    if node.feature.type is FeatureType.BOOLEAN:
        wanted = [column if value else ~column for value in node.values]
        return pl.any_horizontal(*wanted) if wanted else column & ~column
    if node.feature.type is FeatureType.INTEGER:
        edges = node.feature.band_edges
        ranges = [
            column >= edges[first] if last + 1 == len(edges) else column.is_between(edges[first], edges[last + 1] - 1)
            for first, last in _runs(node.values)
        ]
        return pl.any_horizontal(*ranges) if ranges else column < edges[0]
    inside = column.is_in(list(node.values))
    return ~inside if node.negated else inside
