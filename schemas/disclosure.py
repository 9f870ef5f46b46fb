"""The disclosure policy: how small is too small, and how coarsely the rest is told, by how sensitive a question is.

The shipped policy is the floor. A deployment's own can only be stricter: `raised` refuses anything else. What is done
with a policy (suppressing, rounding, complements, the ledger) is `linkage.disclosure`.

Sources of the shipped numbers: NHS England's rule for HES and ECDS (1 to 7 suppressed, the rest to the nearest 5);
the ONS Integrated Data Service's 10-5 rule (below 10 suppressed, the rest to the nearest 5) for welfare and
inclusion groups; ACRO's default of treating zeros as disclosive, for every sensitive attribute.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from schemas.contracts.base import Contract
from schemas.errors import InputError, PolicyError, Reason
from schemas.features import Sensitivity


class CountRule(Contract):
    """What happens to one count: 1 to `suppress_up_to` is withheld, more is rounded to a multiple of `round_to`.

    `suppress_zero` withholds 0, too, and `suppress_full` a count that is the whole of its denominator: both say
    something of every single person in the group.
    """

    suppress_up_to: Annotated[int, Field(ge=1, le=1000)]
    round_to: Annotated[int, Field(ge=1, le=1000)]
    suppress_zero: bool
    suppress_full: bool

    def stricter(self, other: CountRule) -> CountRule:
        """Return the rule that is as strict as both in every respect."""
        return CountRule(
            suppress_up_to=max(self.suppress_up_to, other.suppress_up_to),
            round_to=max(self.round_to, other.round_to),
            suppress_zero=self.suppress_zero or other.suppress_zero,
            suppress_full=self.suppress_full or other.suppress_full,
        )


class DisclosurePolicy(Contract):
    """One policy. `rules` gives the count rule of each class of features; the strictest class in a question holds.

    `min_difference`: two answers of one snapshot may not differ by fewer people than this, unless by none.
    `max_dimensions`: how many features a table may be counted by. `min_contributors`: how many people a mean or a
    median needs. `k_anonymity`: how many people must share each combination of quasi-identifiers on rows that leave.
    `min_household_members`: how many members a household needs before a feature that comes from their health stands
    on person rows.
    """

    format_version: int = 1
    policy_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,63}$")]
    title: str
    rules: dict[Sensitivity, CountRule]
    min_difference: Annotated[int, Field(ge=1)]
    max_dimensions: Annotated[int, Field(ge=1, le=3)]
    min_contributors: Annotated[int, Field(ge=1)]
    k_anonymity: Annotated[int, Field(ge=2)]
    min_household_members: Annotated[int, Field(ge=3)]

    @model_validator(mode="after")
    def _rule_for_each_class(self) -> Self:
        missing = [str(kind) for kind in Sensitivity if kind not in self.rules]
        if missing:
            raise ValueError(f"no rule for: {', '.join(missing)}")
        return self

    def rule(self, classes: Iterable[Sensitivity]) -> CountRule:
        """Return the strictest rule of the classes in play; of a question without features, that of ordinary ones."""
        strictest = self.rules[Sensitivity.ORDINARY]
        for kind in classes:
            strictest = strictest.stricter(self.rules[kind])
        return strictest


def raised(floor: DisclosurePolicy, wanted: DisclosurePolicy) -> DisclosurePolicy:
    """Return `wanted` if it is nowhere weaker than `floor`; raises PolicyError UNSAFE_CONFIGURATION naming where it is.

    A rounding base must be a multiple of the floor's: counts rounded to 7 beside older ones rounded to 5 would narrow
    each other down.
    """
    weaker = [
        name
        for name in ("min_difference", "min_contributors", "k_anonymity", "min_household_members")
        if getattr(wanted, name) < getattr(floor, name)
    ]
    if wanted.max_dimensions > floor.max_dimensions:
        weaker.append("max_dimensions")
    for kind, least in floor.rules.items():
        rule = wanted.rules[kind]
        if rule.stricter(least) != rule or rule.round_to % least.round_to:
            weaker.append(f"rules.{kind}")
    if weaker:
        raise PolicyError(
            Reason.UNSAFE_CONFIGURATION,
            f"Disclosure policy {wanted.policy_id} is weaker than {floor.policy_id} at {', '.join(weaker)}; "
            "a deployment can only raise it.",
        )
    return wanted


def parse_policy(text: str) -> DisclosurePolicy:
    """Return the policy of a JSON document; raises InputError FIELD_INVALID naming the fields that are wrong."""
    try:
        return DisclosurePolicy.model_validate_json(text)
    except ValidationError as error:
        places = {".".join(map(str, e["loc"])) or "document" for e in error.errors(include_input=False)}
        raise InputError(
            Reason.FIELD_INVALID,
            f"The disclosure policy is wrong at: {', '.join(sorted(places))}. Compare it with the shipped one.",
        ) from None


def shipped_policy() -> DisclosurePolicy:
    """Return the policy that ships with hwlink, the floor of every deployment."""
    return parse_policy(files("schemas").joinpath("policies", "default.json").read_text("utf-8"))
