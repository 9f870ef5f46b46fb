"""From SQL `WHERE` text to a filter's meaning. sqlglot reads the text; only what is allowed here gets through.

Two gates: the words of the text (so that no statement, cast, comment trick or function keyword is even parsed),
then the nodes of the tree. A value is checked against its feature: a category's list, a whole number's band edges.
Messages name features that exist, positions and rules, never what the caller wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import sqlglot
from sqlglot import Tokenizer, TokenType
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError

from linkage.cohorts.nodes import Among, Constant, Node, Unknown, Value, among, domain, every, negate, some
from linkage.features.registry import feature
from schemas.errors import InputError, Reason
from schemas.features import FeatureDefinition, FeatureOutput, FeatureType

MAX_CHARACTERS: Final = 4000
MAX_WORDS: Final = 600
MAX_OPEN_VALUE: Final = 64

_WORDS: Final = frozenset(
    {
        TokenType.VAR,
        TokenType.NUMBER,
        TokenType.STRING,
        TokenType.AND,
        TokenType.OR,
        TokenType.NOT,
        TokenType.IN,
        TokenType.BETWEEN,
        TokenType.IS,
        TokenType.NULL,
        TokenType.TRUE,
        TokenType.FALSE,
        TokenType.L_PAREN,
        TokenType.R_PAREN,
        TokenType.COMMA,
        TokenType.EQ,
        TokenType.NEQ,
        TokenType.LT,
        TokenType.LTE,
        TokenType.GT,
        TokenType.GTE,
        TokenType.DASH,
    }
)
_ALLOWED: Final = "comparisons with literals, AND, OR, NOT, IN, BETWEEN, IS NULL, IS TRUE and parentheses"
_FLIPPED: Final[dict[type[exp.Expr], type[exp.Expr]]] = {
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
}


def parse_filter(text: str) -> Node:
    """Return the meaning of a filter; of an empty one, everybody.

    Raises InputError FILTER_UNPARSABLE (not an expression), FILTER_FORBIDDEN (a node, value or cut that is not
    allowed) or FEATURE_UNKNOWN (with near names).
    """
    if not text.strip():
        return Constant(True)
    _check_words(text)
    try:
        statements = sqlglot.parse(text)
        tree = statements[0] if len(statements) == 1 else None
        if tree is None:
            raise _unparsable()
        return _node(tree)
    except (SqlglotError, RecursionError):
        raise _unparsable() from None


def _check_words(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise _forbidden(f"it is longer than {MAX_CHARACTERS} characters")
    try:
        words = Tokenizer().tokenize(text)
    except (SqlglotError, RecursionError):
        raise _unparsable() from None
    if len(words) > MAX_WORDS:
        raise _forbidden(f"it has more than {MAX_WORDS} words")
    for place, word in enumerate(words, 1):
        if word.token_type is TokenType.IDENTIFIER:
            raise _forbidden(f"word {place} stands in double quotes; text values take single quotes, names none")
        if word.token_type not in _WORDS:
            raise _forbidden(f"word {place} is not one of those that a filter may hold")


def _unparsable() -> InputError:
    return InputError(
        Reason.FILTER_UNPARSABLE,
        f"The filter is not an expression in SQL WHERE syntax; write one from {_ALLOWED}.",
    )


def _forbidden(because: str) -> InputError:
    return InputError(Reason.FILTER_FORBIDDEN, f"The filter is refused: {because}. A filter holds only {_ALLOWED}.")


def _node(tree: exp.Expr) -> Node:  # noqa: PLR0911 - one return for each kind of node is the allow-list
    if type(tree) is exp.Paren:
        return _node(tree.this)
    if type(tree) is exp.And or type(tree) is exp.Or:
        parts = [_node(part) for part in tree.flatten()]
        return every(parts) if type(tree) is exp.And else some(parts)
    if type(tree) is exp.Not:
        return negate(_node(tree.this))
    if type(tree) is exp.Boolean:
        return Constant(bool(tree.this))
    if type(tree) is exp.Column:
        return _flag(tree)
    if type(tree) is exp.Is:
        return _is(tree)
    if type(tree) is exp.In:
        return _in(tree)
    if type(tree) is exp.Between:
        return _between(tree)
    if type(tree) in _FLIPPED:
        return _comparison(tree)
    raise _forbidden("it holds something else than conditions on features")


def _column(tree: exp.Expr) -> FeatureDefinition:
    if type(tree) is exp.Paren:
        return _column(tree.this)
    if type(tree) is not exp.Column or type(tree.this) is not exp.Identifier or tree.parts[:-1]:
        raise _forbidden("a feature's name must stand alone on one side of a comparison, and a literal on the other")
    found = feature(str(tree.this.this).lower())
    if FeatureOutput.FILTER not in found.outputs:
        raise _forbidden(f"{found.name} cannot be filtered on")
    return found


def _flag(tree: exp.Expr) -> Node:
    found = _column(tree)
    if found.type is not FeatureType.BOOLEAN:
        raise _forbidden(f"{found.name} is not a yes-or-no feature; compare it with a value")
    return Among(found, (True,))


def _is(tree: exp.Expr) -> Node:
    found = _column(tree.this)
    what = tree.expression
    if type(what) is exp.Null:
        return Unknown(found)
    if type(what) is exp.Boolean and found.type is FeatureType.BOOLEAN:
        # IS TRUE and IS FALSE are never unknown themselves.
        return every([Among(found, (bool(what.this),)), Unknown(found, negated=True)])
    raise _forbidden("IS takes NULL, or TRUE or FALSE for a yes-or-no feature")


def _in(tree: exp.Expr) -> Node:
    found = _column(tree.this)
    listed = tree.expressions
    if not listed or any(tree.args.get(name) for name in ("query", "unnest", "field", "is_global")):
        raise _forbidden("IN takes a list of literals in parentheses")
    return some([_equal(found, item) for item in listed])


def _between(tree: exp.Expr) -> Node:
    if tree.args.get("symmetric") is not None:
        raise _forbidden("BETWEEN takes no further words")
    found = _column(tree.this)
    return every([_ordered(found, exp.GTE, tree.args["low"]), _ordered(found, exp.LTE, tree.args["high"])])


def _comparison(tree: exp.Expr) -> Node:
    left, right, kind = tree.this, tree.expression, type(tree)
    if _is_literal(left):
        left, right, kind = right, left, _FLIPPED[kind]
    found = _column(left)
    if kind is exp.EQ:
        return _equal(found, right)
    if kind is exp.NEQ:
        return negate(_equal(found, right))
    return _ordered(found, kind, right)


def _is_literal(tree: exp.Expr) -> bool:
    return type(tree) in (exp.Literal, exp.Boolean, exp.Neg, exp.Null)


def _equal(found: FeatureDefinition, literal: exp.Expr) -> Node:
    if found.type is FeatureType.BOOLEAN:
        if type(literal) is not exp.Boolean:
            raise _forbidden(f"{found.name} is compared with TRUE or FALSE only")
        return Among(found, (bool(literal.this),))
    if found.type is FeatureType.INTEGER:
        number = _number(found, literal)
        return _bands(found, lambda low, high: (low, high) == (number, number), number, number)
    return Among(found, (_category_value(found, literal),))


def _category_value(found: FeatureDefinition, literal: exp.Expr) -> str:
    if type(literal) is not exp.Literal:
        raise _forbidden(f"{found.name} is compared with text in single quotes only")
    value = str(literal.this)
    known = domain(found)
    if known is None:
        # A geography's values are not listed here; one that does not exist matches nobody.
        if len(value) > MAX_OPEN_VALUE or not value.isprintable():
            raise _forbidden(f"{found.name} is compared with codes of at most {MAX_OPEN_VALUE} characters")
        return value
    if value not in known:
        raise _forbidden(f"{found.name} never has that value; it has: {', '.join(map(str, known))}")
    return value


def _number(found: FeatureDefinition, literal: exp.Expr) -> int:
    sign, inner = (-1, literal.this) if type(literal) is exp.Neg else (1, literal)
    text = str(inner.this) if type(inner) is exp.Literal and not inner.is_string else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise _forbidden(f"{found.name} is compared with whole numbers only")
    return sign * int(text)


def _ordered(found: FeatureDefinition, kind: type[exp.Expr], literal: exp.Expr) -> Node:
    if found.type is FeatureType.INTEGER:
        number = _number(found, literal)
        # The lowest value above the cut: every comparison of whole numbers is one of "from here" and "below here".
        cut = number + 1 if kind in (exp.GT, exp.LTE) else number
        upper = kind in (exp.GT, exp.GTE)
        return _bands(found, lambda low, _: (low >= cut) is upper, cut, None)
    known = domain(found)
    if not found.ordered or known is None:
        raise _forbidden(f"{found.name} has no order; compare it by =, <> or IN")
    place = known.index(_category_value(found, literal))
    holds: dict[type[exp.Expr], Callable[[int], bool]] = {
        exp.LT: lambda at: at < place,
        exp.LTE: lambda at: at <= place,
        exp.GT: lambda at: at > place,
        exp.GTE: lambda at: at >= place,
    }
    return among(found, {value for at, value in enumerate(known) if holds[kind](at)})


def _bands(found: FeatureDefinition, wanted: Callable[[int, int | None], bool], cut: int, last: int | None) -> Node:
    """Return the bands that are wanted; refuse a cut inside a band, naming the edges."""
    edges = found.band_edges
    highs = [edge - 1 for edge in edges[1:]]
    bands: list[tuple[int, int | None]] = [*zip(edges, highs, strict=False), (edges[-1], None)]
    chosen: set[Value] = {index for index, (low, high) in enumerate(bands) if wanted(low, high)}
    fits = cut in edges if last is None else (cut, last) in bands
    if not fits:
        raise _forbidden(
            f"{found.name} can be cut only at {', '.join(map(str, edges))}, and equal only what is a band of its own: "
            f"{', '.join(found.bands)}"
        )
    return among(found, chosen)
