"""What an agreement must keep to, beyond its shape: known rules and parts, no small cipher, filters neither thin nor
full."""

from __future__ import annotations

from typing import Final

from linkage.encode.derive import FILTER_TEXTS, IDENTITY_FIELDS, PARTS
from linkage.nicknames import NICKNAME_RULES
from linkage.normalise import NORMALISERS
from linkage.phonetics import PHONETICS
from schemas.agreement import Agreement, FilterRecipe, Hardening, TokenRecipe
from schemas.errors import AgreementError, Reason

# Parts with few values -> how many. A token over such parts alone is decoded by counting how often each value occurs.
_FEW_VALUES: Final = {"birth_year": 120, "birth_month": 12, "birth_day": 31, "sex": 4, "sex_stated": 2}
FEWEST_VALUES: Final = 10_000
"""Fewest values that a token must be able to take; a whole date of birth has some 44,000."""

# n-grams of a typical value, its padding included: means over 100,000 synthetic people.
TYPICAL_GRAMS: Final = {"forename": 7, "surname": 8, "address": 17}
LEAST_FILL: Final = 0.15
MOST_FILL: Final = 0.5
"""Share of bits set for a typical value: below, chance collisions blur similarity; above half, filters give more
away."""


def expected_fill(recipe: FilterRecipe, grams: int) -> float:
    """Return the expected share of bits set by `grams` distinct n-grams, after hardening."""
    bits = recipe.bits * 2 if recipe.hardening is Hardening.XOR_FOLD else recipe.bits
    fill = 1 - (1 - 1 / bits) ** (recipe.hashes * grams)
    # Both hardenings add (XOR) two bits that are set independently of each other.
    return fill if recipe.hardening is Hardening.NONE else 2 * fill * (1 - fill)


def check_agreement(agreement: Agreement) -> None:
    """Raise AgreementError AGREEMENT_INVALID with every reason why `agreement` cannot be used; return if there is
    none."""
    faults = [*_rule_faults(agreement)]
    for recipe in agreement.tokens:
        faults.extend(_token_faults(recipe))
    for shape in agreement.filters:
        faults.extend(_filter_faults(shape))
    if faults:
        raise AgreementError(
            Reason.AGREEMENT_INVALID,
            f"Agreement {agreement.agreement_id} cannot be used: {'; '.join(faults)}. "
            "Compare it with `hwlink agreement show`.",
        )


def _rule_faults(agreement: Agreement) -> list[str]:
    known = {field: NORMALISERS.keys() for field in IDENTITY_FIELDS}
    wanted = {**known, "phonetic": PHONETICS.keys(), "nickname": set(NICKNAME_RULES)}
    faults = [f"normalisers lacks {field}" for field in wanted if field not in agreement.normalisers]
    for field, rule in agreement.normalisers.items():
        if field not in wanted:
            faults.append(f"normalisers names {field}, which is no field")
        elif rule not in wanted[field]:
            faults.append(f"this version of hwlink has no rule {rule} for {field}")
    if agreement.pseudonym is not None and agreement.pseudonym.normaliser not in NORMALISERS:
        faults.append(f"this version of hwlink has no rule {agreement.pseudonym.normaliser} for pseudonym")
    return faults


def _token_faults(recipe: TokenRecipe) -> list[str]:
    unknown = [part for part in recipe.parts if part not in PARTS]
    if unknown:
        return [f"{recipe.column} is made of {unknown[0]}, which is no part"]
    values = 1
    for part in set(recipe.parts):
        values *= _FEW_VALUES.get(part, FEWEST_VALUES)
    if values < FEWEST_VALUES:
        return [f"{recipe.column} can take only {values} values alone, so counting decodes it: hash it with a name"]
    return []


def _filter_faults(recipe: FilterRecipe) -> list[str]:
    if recipe.field not in FILTER_TEXTS:
        return [f"filters names {recipe.field}, which has none"]
    fill = expected_fill(recipe, TYPICAL_GRAMS[recipe.field])
    if not LEAST_FILL <= fill <= MOST_FILL:
        return [
            f"filter_{recipe.field} would have {fill:.0%} of its bits set for a typical value, "
            f"not {LEAST_FILL:.0%} to {MOST_FILL:.0%}: change its hashes"
        ]
    return []
