"""Model documents outlive releases: earlier shapes are read, others are refused with what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import InputError, Reason
from schemas.model import COMPARISONS, default_model, parse_model
from schemas.model_format import FORMAT_VERSION, STEPS, upgraded

EARLIER = Path(__file__).parent / "models"


def document(**changes: Any) -> dict[str, Any]:
    return {**json.loads(default_model().model_dump_json()), **changes}


def refused(call: Any) -> str:
    with pytest.raises(InputError) as error:
        call()
    assert error.value.reason is Reason.FIELD_INVALID
    return error.value.message


@pytest.mark.parametrize("version", range(1, FORMAT_VERSION))
def test_a_document_of_each_earlier_format_is_read_and_keeps_its_id(version: int) -> None:
    text = (EARLIER / f"format-{version}.json").read_text("utf-8")
    assert json.loads(text)["format_version"] == version

    model = parse_model(text)

    assert model.format_version == FORMAT_VERSION
    assert model.model_id == json.loads(text)["model_id"]
    assert [c.m for c in model.comparisons] == [tuple(c["m"]) for c in json.loads(text)["comparisons"]]
    assert parse_model(model.model_dump_json()) == model


def test_the_shipped_document_is_of_todays_format() -> None:
    assert document()["format_version"] == FORMAT_VERSION
    assert [c["levels"] for c in document()["comparisons"]] == [list(levels) for levels in COMPARISONS.values()]


def test_a_later_format_is_refused_and_says_what_to_do() -> None:
    assert "Install the release" in refused(lambda: parse_model(json.dumps(document(format_version=99))))


def test_a_format_without_a_step_is_refused_and_says_what_to_do() -> None:
    assert "hwlink model fit" in refused(lambda: upgraded({"format_version": 0}))
    assert "hwlink model fit" in refused(lambda: upgraded({"format_version": 1}, {}, 2))


@pytest.mark.parametrize("broken", ["", "[]", "null", "nonsense", '{"format_version": 1}', '{"format_version": "1"}'])
def test_what_is_no_document_is_refused(broken: str) -> None:
    assert "hwlink model fit" in refused(lambda: parse_model(broken))


@pytest.mark.parametrize("comparisons", [None, [1], [{"m": []}], [{"name": []}]])
def test_an_earlier_document_that_is_not_whole_is_refused(comparisons: Any) -> None:
    refused(lambda: parse_model(json.dumps(document(format_version=1, comparisons=comparisons))))


def test_levels_that_are_not_todays_are_refused() -> None:
    changed = document()
    changed["comparisons"][0]["levels"].reverse()
    refused(lambda: parse_model(json.dumps(changed)))


def test_every_step_leads_to_the_next_version() -> None:
    assert sorted(STEPS) == list(range(1, FORMAT_VERSION))
