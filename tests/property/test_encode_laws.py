"""Laws of encoding: what must be equal, what must differ, and what must not matter."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from linkage.encode import ProjectKeys, encode
from linkage.encode.filters import filter_words
from linkage.normalise import NORMALISERS, Rules, normalise
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS

AGREEMENT = shipped_agreement("test")
SECRET = bytes(range(32))
KEYS = ProjectKeys(SECRET, AGREEMENT.key_epoch)
LATEST = date(2026, 6, 30)
VARIABLES = [*TOKEN_COLUMNS, *FILTER_COLUMNS]

letters = st.text("ABCDEFGHIJKLMNOPRSTUVWY", min_size=2, max_size=10)
surnames = letters.filter(
    lambda name: normalise(pl.Series([name]), "surname/1", Rules(False, LATEST))["value"][0] == name
)
people = st.fixed_dictionaries({
    "forename": st.none() | st.sampled_from(["Ann", "Liz", "Bob", "Zoë", "J", "Baby"]),
    "surname": st.none() | letters,
    "date_of_birth": st.none() | st.dates(date(1920, 1, 1), LATEST).map(str) | st.just("1980-13-40"),
    "sex": st.sampled_from(["M", "F", "X", None]),
    "postcode": st.sampled_from(["ME4 4TZ", "ME1 2AB", None, "?"]),
    "address": st.sampled_from(["12 High Street", "Flat 1, 3 Low Rd", None]),
})  # fmt: skip
files = st.lists(people, min_size=1, max_size=8).map(
    lambda rows: pl.DataFrame(
        [{"record_id": f"R{number}", **row} for number, row in enumerate(rows)],
        schema_overrides=dict.fromkeys(
            ("forename", "surname", "date_of_birth", "postcode", "address", "sex"), pl.String
        ),
    )
)


def coded(frame: pl.DataFrame, keys: ProjectKeys = KEYS, source: str = "medway.gp") -> pl.DataFrame:
    """Encode as health records."""
    return encode(frame, AGREEMENT, keys, Feed.HEALTH, source=source, latest=LATEST).frame


@settings(max_examples=15, deadline=None)
@given(files, st.integers(1, 8), st.randoms())
def test_chunks_and_row_order_do_not_matter(frame: pl.DataFrame, rows_at_once: int, random: object) -> None:
    """A record's encoding depends on nothing but the record."""
    whole = coded(frame)
    chunks = pl.concat([coded(frame[start : start + rows_at_once]) for start in range(0, frame.height, rows_at_once)])
    order = list(range(frame.height))
    random.shuffle(order)  # type: ignore[attr-defined]

    assert chunks.equals(whole)
    assert coded(frame[order]).equals(whole[order])


@settings(max_examples=15, deadline=None)
@given(files)
def test_equal_values_give_equal_variables_and_missing_gives_none(frame: pl.DataFrame) -> None:
    """Two records that say the same agree on everything; what neither says, neither has."""
    twice = coded(pl.concat([frame, frame.with_columns(pl.col("record_id") + "x")]))
    first, second = twice[: frame.height], twice[frame.height :]

    assert first.select(VARIABLES).equals(second.select(VARIABLES))
    assert not set(first["subject_ref"]) & set(second["subject_ref"])
    absent = frame["surname"].is_null()
    assert coded(frame).filter(absent).select("token_surname", "filter_surname", "key_names_year").null_count().row(
        0
    ) == ((absent.sum(),) * 3)


@settings(max_examples=12, deadline=None)
@given(files)
def test_another_epoch_or_secret_shares_no_value(frame: pl.DataFrame) -> None:
    """Tokens and references of another key can never be compared by accident."""
    ours = coded(frame)
    for other in (ProjectKeys(SECRET, "another"), ProjectKeys(SECRET[::-1], KEYS.epoch)):
        theirs = coded(frame, other)

        for column in ["subject_ref", *TOKEN_COLUMNS]:
            assert not set(ours[column].drop_nulls()) & set(theirs[column].drop_nulls())


@settings(max_examples=12, deadline=None)
@given(files)
def test_sources_share_tokens_and_no_references(frame: pl.DataFrame) -> None:
    """People are matched across sources by tokens; record ids mean nothing outside their source."""
    ours, theirs = coded(frame), coded(frame, source="swale.gp")

    assert ours.select(VARIABLES).equals(theirs.select(VARIABLES))
    assert not set(ours["subject_ref"]) & set(theirs["subject_ref"])


@settings(max_examples=12, deadline=None)
@given(files)
def test_domains_share_no_token(frame: pl.DataFrame) -> None:
    """Only columns of one domain can be compared: one value under two domains gives two tokens."""
    ours = coded(frame)
    by_domain: dict[str, set[bytes]] = {}
    for recipe in AGREEMENT.tokens:
        by_domain.setdefault(recipe.domain, set()).update(ours[recipe.column].drop_nulls())

    assert len(set().union(*by_domain.values())) == sum(len(values) for values in by_domain.values())


@settings(max_examples=60, deadline=None)
@given(surnames.filter(lambda name: len(name) >= 6), surnames, st.data())
def test_one_typing_error_is_nearer_than_another_name(name: str, other: str, data: st.DataObject) -> None:
    """That is what filters are for."""
    place = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGH"))
    wrong = name[:place] + letter + name[place + 1 :]
    grams = [{f"_{text}_"[at : at + 2] for at in range(len(text) + 1)} for text in (name, wrong, other)]
    assume(len(grams[0] & grams[2]) <= 1 and len(grams[0] & grams[1]) >= 4)
    kept, typo, unlike = filter_words([name, wrong, other], AGREEMENT.filters[1], SECRET)

    assert dice(kept, typo) > dice(kept, unlike)


def dice(left: np.ndarray, right: np.ndarray) -> float:
    """Return the Dice similarity of two filters."""
    both = np.bitwise_count(left & right).sum()
    return float(2 * both / (np.bitwise_count(left).sum() + np.bitwise_count(right).sum()))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(NORMALISERS)), st.lists(st.none() | st.text(max_size=40), max_size=5))
def test_no_text_breaks_a_rule(rule: str, values: list[str | None]) -> None:
    """Whatever stands in a field, a rule gives a value or a reason, or nothing for nothing."""
    table = normalise(pl.Series(values, dtype=pl.String), rule, Rules(False, LATEST))

    assert table.height == len(values)
    for value, row in zip(values, table.rows(named=True), strict=True):
        blank = value is None or not pl.Series([value]).str.strip_chars()[0]
        assert not (blank and row["reason"])
        assert blank or (row["value"] is None) == (row["reason"] is not None)
        assert row["value"] is None or row["value"]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["forename/1", "surname/1", "address/1", "postcode/1", "uprn/1"]), st.text(max_size=30))
@example("forename/1", "M:X")
@example("forename/1", "UN K")
def test_normalising_twice_changes_nothing(rule: str, value: str) -> None:
    """What is normal stays as it is, so that a controller may clean its data before."""
    rules = Rules(False, LATEST)
    once = normalise(pl.Series([value]), rule, rules)["value"]
    assume(once[0] is not None)

    assert normalise(once, rule, rules)["value"].to_list() == once.to_list()
