"""Filters in SQL WHERE syntax: what may stand in one, what is refused and why, and one text for one meaning."""

from __future__ import annotations

import logging
from contextlib import suppress

import polars as pl
import pytest

from linkage.cohorts import parse_filter
from linkage.cohorts.nodes import expression, text
from linkage.cohorts.parse import MAX_CHARACTERS
from schemas.errors import InputError, Reason


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("", "TRUE"),
        ("   ", "TRUE"),
        ("reg_copd", "reg_copd"),
        ("REG_COPD", "reg_copd"),
        ("reg_copd = TRUE", "reg_copd"),
        ("reg_copd <> true", "NOT reg_copd"),
        ("NOT NOT reg_copd", "reg_copd"),
        ("((reg_copd))", "reg_copd"),
        ("reg_copd IS TRUE", "reg_copd AND reg_copd IS NOT NULL"),
        ("reg_copd IS NOT FALSE", "reg_copd OR reg_copd IS NULL"),
        ("age > 64", "age >= 65"),
        ("65 <= age", "age >= 65"),
        ("age <= 4", "age < 5"),
        ("age BETWEEN 5 AND 17", "age BETWEEN 5 AND 17"),
        ("age >= 5 AND age < 18", "age BETWEEN 5 AND 17"),
        ("NOT age BETWEEN 5 AND 17", "(age < 5 OR age >= 18)"),
        ("ltc_count = 2", "ltc_count = 2"),
        ("ltc_count IN (0, 1)", "ltc_count < 2"),
        ("imd_decile <> 1", "imd_decile >= 2"),
        ("tenure IN ('owner', 'council', 'owner')", "tenure IN ('council', 'owner')"),
        (
            "tenure <> 'council' AND tenure <> 'owner'",
            "tenure IN ('housing_association', 'private_rent', 'temporary', 'other')",
        ),
        ("age_band > '80-84'", "age_band IN ('85-89', '90+')"),
        ("arrears_band <= 'under_500'", "arrears_band IN ('none', 'under_500')"),
        ("income_band BETWEEN '150_to_299' AND '300_to_499'", "income_band IN ('150_to_299', '300_to_499')"),
        ("sex_code = 2", "sex_code = '2'"),
        ("authority NOT IN ('a', 'b')", "authority <> 'a' AND authority <> 'b'"),
        ("ward = 'King''s Reach'", "ward = 'King''s Reach'"),
        ("core20 IS NULL", "core20 IS NULL"),
        ("NOT (reg_dm OR reg_htn)", "NOT reg_dm AND NOT reg_htn"),
        ("reg_htn AND reg_dm AND reg_htn", "reg_dm AND reg_htn"),
        ("reg_dm OR reg_htn AND core20", "(core20 AND reg_htn) OR reg_dm"),
        ("reg_dm -- a remark", "reg_dm"),
        ("TRUE AND reg_dm", "reg_dm"),
        ("FALSE OR NOT TRUE", "FALSE"),
        ("reg_dm AND FALSE", "FALSE"),
    ],
)
def test_one_meaning_has_one_text(written: str, canonical: str) -> None:
    assert text(parse_filter(written)) == canonical
    assert text(parse_filter(canonical)) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "reg_copd; DROP TABLE features",
        ";",
        "SELECT 1",
        "(SELECT 1)",
        "age IN (SELECT age FROM people)",
        "EXISTS (SELECT 1)",
        "reg_copd UNION SELECT 1",
        "age > ALL (SELECT 1)",
        "reg_copd IN (reg_dm)",
        "reg_copd IN reg_dm",
        "age IN ()",
        "abs(age) = 5",
        "coalesce(reg_copd, TRUE)",
        "random() < 1",
        "CASE WHEN reg_copd THEN TRUE END",
        "CAST(age AS INT) = 5",
        "age::int = 5",
        "age + 1 = 5",
        "age = 4 + 1",
        "age * 2 >= 10",
        "- age = -5",
        "reg_copd = reg_dm",
        "age >= ltc_count",
        "age = age",
        "features.age >= 65",
        "a.b.c.age >= 65",
        '"age" >= 65',
        "`age` >= 65",
        "[age] >= 65",
        "age LIKE '6%'",
        "ward ILIKE 'n%'",
        "ward SIMILAR TO 'n%'",
        "ward ~ '.*'",
        "ward || 'x' = 'x'",
        "age IS DISTINCT FROM 5",
        "reg_copd IS UNKNOWN",
        "tenure IS TRUE",
        "age IS 5",
        "age <=> 5",
        "(age, ltc_count) = (5, 1)",
        "ROW(age) = ROW(5)",
        "age BETWEEN SYMMETRIC 5 AND 17",
        "reg_copd AS x",
        "reg_copd reg_dm",
        "age @> 5",
        "age = ?",
        "age = :x",
        "age = @x",
        "age = ${x}",
        "INTERVAL '1' DAY",
        "DATE '2020-01-01' > birth",
        "reg_copd XOR reg_dm",
        "age & 1 = 1",
        "NULL",
        "1 = 1",
        "'a' = 'a'",
        "TRUE = TRUE",
        "1",
        "'reg_copd'",
        "reg_copd ORDER BY age",
        "reg_copd GROUP BY age",
        "reg_copd LIMIT 1",
        "EXPLAIN reg_copd",
        "PRAGMA table_info(x)",
        "SET x = 1",
        "GRANT ALL",
        "LATERAL x",
        "*",
        "reg_copd /* remark */ + 1",
        "lambda x: x",
        "x -> y",
        "age = 0x41",
        "age = 6_5",
        "reg_copd AT TIME ZONE 'UTC'",
        "reg_copd COLLATE x",
        "age IN UNNEST([5])",
        "CURRENT_DATE = 5",
        "age =",
        "PIVOT age",
    ],
)
def test_what_is_no_plain_condition_is_refused(written: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_filter(written)
    assert caught.value.reason in (Reason.FILTER_FORBIDDEN, Reason.FILTER_UNPARSABLE, Reason.FEATURE_UNKNOWN)
    assert caught.value.reason is not Reason.FEATURE_UNKNOWN or "birth" in written or "age" not in written


@pytest.mark.parametrize(
    "written", ["reg_copd AND", "AND", "(reg_copd", "reg_copd)", "age BETWEEN 5", "NOT", "= 5", "age IN (5"]
)
def test_what_is_no_expression_is_unparsable(written: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_filter(written)
    assert caught.value.reason is Reason.FILTER_UNPARSABLE


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("age >= 66", "0, 5, 10, 15, 18"),
        ("age = 5", "5-9"),
        ("age BETWEEN 6 AND 17", "cut only at"),
        ("ae_attendances_12m >= 4", "0, 1, 2, 3, 5, 10"),
        ("age = 5.5", "whole numbers"),
        ("age = '65'", "whole numbers"),
        ("age = TRUE", "whole numbers"),
        ("age = NULL", "whole numbers"),
        ("age = 99999999999999999999", "whole numbers"),
        ("reg_copd = 1", "TRUE or FALSE"),
        ("reg_copd > FALSE", "no order"),
        ("tenure = 'castle'", "council"),
        ("tenure > 'council'", "no order"),
        ("ward > 'A'", "no order"),
        ("age", "compare it with a value"),
        ("tenure", "compare it with a value"),
        ("ward = 'x' AND age = 3", "cut only at"),
    ],
)
def test_a_wrong_value_is_met_with_the_right_ones(written: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_filter(written)
    assert caught.value.reason is Reason.FILTER_FORBIDDEN
    assert told in caught.value.message


@pytest.mark.parametrize(
    "written",
    ["reg_cpod", "reg_copd AND nonsense = 1", "lsoa = 'E01000001'", "link_probability > 0", "person_id = 'x'"],
)
def test_a_name_that_is_none_is_unknown_and_so_is_an_internal_one(written: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_filter(written)
    assert caught.value.reason is Reason.FEATURE_UNKNOWN


SECRET = "QQ123456C"


@pytest.mark.parametrize(
    "written",
    [
        f"{SECRET} = 1",
        f"tenure = '{SECRET}'",
        f"ward = '{SECRET * 20}'",
        f"nino('{SECRET}')",
        f"EXPLAIN {SECRET}",
        f"age = '{SECRET}'",
        f"'{SECRET}",
        f"reg_copd AND '{SECRET}' (",
    ],
)
def test_nothing_that_was_written_comes_back_or_is_logged(written: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(InputError) as caught:
        parse_filter(written)
    assert SECRET not in caught.value.message
    assert SECRET not in caplog.text
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "written",
    [
        "(" * 290 + "reg_copd" + ")" * 290,
        "NOT " * 590 + "reg_copd",
        "reg_copd AND " * 290 + "reg_copd",
        "reg_copd OR reg_dm AND " * 140 + "reg_copd",
        " " * (MAX_CHARACTERS + 1) + "reg_copd",
        "reg_copd" + " OR reg_copd" * 400,
        "x" * (MAX_CHARACTERS + 1),
        "\x00" * 100,
        "'" * 999,
        "\ud800",
        "é" * 100,
    ],
)
def test_a_monster_is_answered_or_refused_but_never_crashes(written: str) -> None:
    with suppress(InputError):  # and no other error, which is the point
        parse_filter(written)


def test_unknown_stays_unknown_through_every_operator() -> None:
    people = pl.DataFrame(
        {"reg_copd": [True, False, None], "age": [70, 3, None], "tenure": ["council", "owner", None]},
        schema_overrides={"age": pl.Int32},
    )
    for written, answers in {
        "reg_copd": [True, False, None],
        "NOT reg_copd": [False, True, None],
        "age >= 65": [True, False, None],
        "NOT age >= 65": [False, True, None],
        "NOT (age >= 0)": [False, False, None],
        "age >= 0": [True, True, None],
        "tenure IN ('council', 'other')": [True, False, None],
        "tenure <> 'council'": [False, True, None],
        "reg_copd OR NOT reg_copd": [True, True, None],
        "reg_copd AND NOT reg_copd": [False, False, None],
        "reg_copd IS NULL": [False, False, True],
        "reg_copd IS TRUE": [True, False, False],
        "reg_copd IS NOT TRUE": [False, True, True],
        "reg_copd OR TRUE": [True, True, True],
        "reg_copd AND FALSE": [False, False, False],
        "reg_copd OR reg_copd IS NULL": [True, False, True],
    }.items():
        result = people.with_columns(expression(parse_filter(written)).alias("_answer"))["_answer"]
        assert result.to_list() == answers, written
