"""The model document: complete, named by its content, and never echoing what it refuses."""

from __future__ import annotations

import json

import pytest

from schemas.errors import InputError, Reason
from schemas.model import COMPARISONS, RADICES, UNIONS, default_model, parse_model


def test_the_shipped_model_holds_nothing_of_any_deployment() -> None:
    model = default_model()

    assert model.frequencies == ()
    assert model.priors == ()
    assert all(block_pass.stop_keys == () for block_pass in model.passes)


def test_the_shipped_model_searches_by_selective_compounds_and_identifiers_only() -> None:
    for block_pass in default_model().passes:
        columns = [column for part in block_pass.parts for column in part]
        assert len(columns) > 1 or columns[0] in ("token_nhs_number", "token_nino", "token_pseudonym")


def test_the_shipped_model_reads_back_as_written() -> None:
    model = default_model()

    assert parse_model(model.model_dump_json()) == model


def test_equal_models_have_equal_ids_and_others_do_not() -> None:
    model = default_model()
    other = model.model_copy(update={"default_log2_prior": -3.0})

    assert model.named_by_content().model_id == model.model_copy(update={"model_id": "x1"}).named_by_content().model_id
    assert model.named_by_content().model_id != other.named_by_content().model_id


@pytest.mark.parametrize(
    "change",
    [
        {"comparisons": []},
        {"passes": []},
        {"crossings": [["names", "nothing-of-that-name"]]},
        {"passes": [{"name": "a", "parts": [["forename"]]}]},
        {"passes": [{"name": "a", "parts": []}]},
        {"model_id": "No Spaces"},
        {"surprise": 1},
    ],
)
def test_a_wrong_document_is_refused_by_place_and_not_by_value(change: dict[str, object]) -> None:
    document = {**json.loads(default_model().model_dump_json()), **change, "title": "9434765919"}
    with pytest.raises(InputError) as refused:
        parse_model(json.dumps(document))

    assert refused.value.reason is Reason.FIELD_INVALID
    assert "9434765919" not in refused.value.message


def test_levels_and_probabilities_fit_each_other() -> None:
    for comparison in default_model().comparisons:
        unions = UNIONS.get(comparison.name, {})
        plain = [n for n, level in enumerate(COMPARISONS[comparison.name]) if level not in unions]
        for probabilities in (comparison.m, comparison.u):
            assert sum(probabilities[n] for n in plain) == pytest.approx(1.0, abs=1e-3)
            assert min(probabilities) > 0


def test_a_pattern_fits_the_integer_it_is_kept_in() -> None:
    product = 1
    for radix in RADICES:
        product *= radix

    assert product < 2**31
