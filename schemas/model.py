"""The match model: everything a decision about a pair depends on besides the two records, as one JSON document.

Fitted numbers (m, u, priors, frequencies, stop keys) are frozen in it; a pair's odds are a pure function of two record
versions and this document. Frequencies hold token prefixes: a model is an artefact of the linkage zone, never
published.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from schemas.contracts.base import Contract
from schemas.contracts.subject import TOKEN_COLUMNS
from schemas.decision import DecisionPolicy
from schemas.errors import InputError, Reason
from schemas.model_format import FORMAT_VERSION, upgraded

MISSING: Final = "missing"
"""Level 0 of every comparison: a side has no value. It is no evidence (m = u = 1) and stands in no list of levels."""

_ADDRESS: Final = ("same", "close", "similar", "different", "unknown")
_POSTCODE: Final = ("same", "outcode", "different", "unknown")

COMPARISONS: Final[dict[str, tuple[str, ...]]] = {
    "forename": (
        "exact",
        "nickname",
        "close",
        "phonetic",
        "similar",
        "faint",
        "different",
        "swapped",
        "half_swapped",
        "middle",
    ),
    "surname": ("exact", "close", "phonetic", "similar", "faint", "different"),
    "middle_names": ("exact", "different"),
    "date_of_birth": (
        "exact_same_sex",
        "exact",
        "exact_other_sex",
        "swapped",
        "year_month",
        "year_day",
        "month_day",
        "different",
        "unseen",
    ),
    "home": tuple(f"address_{a}_postcode_{p}" for a in _ADDRESS for p in _POSTCODE)[:-1],
    "nhs_number": ("exact", "different"),
    "nino": ("exact", "different"),
}
"""Comparisons in the order of a pattern's digits, each with its levels after `missing`, strongest agreement first.

`swapped` of the forename: both names agree crosswise; `half_swapped`: one does and neither agrees straight. The surname
then counts as missing, so that the evidence counts once. `middle`: the forename is the other's middle name. `home` is
joint: address and postcode levels of one place would otherwise count one fact twice.
"""

UNIONS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "date_of_birth": {
        "exact": ("exact_same_sex", "exact_other_sex"),
        "unseen": ("year_month", "year_day", "month_day", "different"),
    },
    "home": {
        **{
            f"address_{a}_postcode_unknown": tuple(f"address_{a}_postcode_{p}" for p in _POSTCODE[:-1])
            for a in _ADDRESS[:-1]
        },
        **{
            f"address_unknown_postcode_{p}": tuple(f"address_{a}_postcode_{p}" for a in _ADDRESS[:-1])
            for p in _POSTCODE[:-1]
        },
    },
}
"""Levels that say less: one of several others holds, but a value to tell which is missing. Their probability is the
sum.

A sex that one side lacks leaves `exact`. Parts of a date of birth can be seen only where a name's phonetic form agrees:
`unseen` stands for two dates that differ while neither name agrees so. A place with half of its address leaves a row or
column of the table of `home`.
"""

RADICES: Final[tuple[int, ...]] = tuple(len(levels) + 1 for levels in COMPARISONS.values())
"""Number of levels of each comparison, `missing` included: a pattern is the mixed-radix number of the levels, first
comparison as its highest digit."""

Probability = Annotated[float, Field(ge=0, le=1)]


class Comparison(Contract):
    """How likely each level of one comparison is among matches (`m`) and among unrelated pairs (`u`).

    Both follow `levels`, which are `COMPARISONS[name]`: `missing` is left out. Levels that are no union of others sum
    to 1.
    """

    name: str
    levels: tuple[str, ...] = ()
    """Those of `COMPARISONS` where none are given."""
    m: tuple[Probability, ...]
    u: tuple[Probability, ...]

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: Any) -> Any:
        if isinstance(values, dict) and "levels" not in values:
            return {**values, "levels": COMPARISONS.get(values.get("name", ""), ())}
        return values

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.name not in COMPARISONS:
            raise ValueError(f"no comparison of that name; there are: {', '.join(COMPARISONS)}")
        if self.levels != COMPARISONS[self.name] or not len(self.m) == len(self.u) == len(self.levels):
            raise ValueError(f"{self.name} needs one m and one u for each of: {', '.join(COMPARISONS[self.name])}")
        return self


class Relatives(Contract):
    """What two different people of one home look like to each other: the second way of not being a match.

    Distributions over levels as in `Comparison`. `forename` is given for three cases of the date of birth (`same`:
    exact levels, `near`: swapped or a part agrees, `other`), so that twins (same date, other forename) and father and
    son (same forename, other date) can both be usual while a same-named relative of the same date stays as rare as it
    is. `home` is the distribution over levels for people who do live at one home.
    """

    date_of_birth: tuple[Probability, ...]
    forename_same_date: tuple[Probability, ...]
    forename_near_date: tuple[Probability, ...]
    forename_other_date: tuple[Probability, ...]
    surname: tuple[Probability, ...]
    middle_names: tuple[Probability, ...]
    home: tuple[Probability, ...]


class SourcePrior(Contract):
    """How likely a pair of two sources (or of one with itself) is a match before it is looked at: log2 odds, with the
    interval that 95 % sampling error leaves.

    The odds are those of a pair whose subjects have no other candidate: where a source holds one record per person,
    most of a subject's doubt is whether it has a match there at all, and its rivals are weighed when decisions are
    made. `log2_share` is the share of matches among all pairs, `log2_relatives` that of two people of one home.
    `left_matched` is the share of the left source's subjects that have a match in the right one, where that holds one
    record per person (0 where it does not, since there one match says nothing about the next); `right_matched` the
    other way round. Sources stand in alphabetical order.
    """

    left_source: str
    right_source: str
    log2_prior: float
    log2_prior_low: float
    log2_prior_high: float
    log2_share: float
    log2_relatives: float
    left_matched: Annotated[float, Field(ge=0, le=1)] = 0.0
    right_matched: Annotated[float, Field(ge=0, le=1)] = 0.0


class Frequencies(Contract):
    """How common the frequent values of a token column are: relative frequency among subjects by token prefix.

    The column `full_name` is no token's: it lists forename and surname together (`linkage.weigh.full_name_words`), and
    its floor is how often those of an unlisted name meet a namesake.

    A prefix is the first 8 bytes as 16 hexadecimal digits, in the token's byte order. A value that is not listed counts
    as `floor`: rarer than that adds no weight, since relatives share rare names and rare spellings are errors.
    """

    column: str
    floor: Annotated[float, Field(gt=0, lt=1)]
    values: dict[str, Annotated[float, Field(gt=0, le=1)]] = Field(default_factory=dict)


class BlockPass(Contract):
    """One way of finding candidate pairs: two subjects share the pass when every part agrees and none is missing.

    A part of one column is compared as it is; a part of several is an unordered set, so that swapped names, or a date
    of birth with day and month swapped, agree too. `stop_keys` (hashes of key values, sorted) are too common to be
    searched.
    """

    name: str
    parts: tuple[tuple[str, ...], ...]
    stop_keys: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _columns(self) -> Self:
        unknown = [c for part in self.parts for c in part if c not in TOKEN_COLUMNS]
        if unknown or not self.parts or not all(self.parts):
            raise ValueError(f"pass {self.name} must be made of token columns: {', '.join(TOKEN_COLUMNS)}")
        return self


class DiceCuts(Contract):
    """Dice similarities from which two filters count as close, similar and faintly alike. They belong to one
    agreement's filters.

    Two names are faintly alike also where more than `name_contained` of the bits of the one with fewer are set in the
    other, as of a short form; and they are not, however similar, where more than `name_unshared_bits` of these are
    missing there: long names share much that says nothing. By default neither is looked at.
    """

    name_close: Probability = 0.85
    name_similar: Probability = 0.65
    name_faint: Probability = 0.5
    name_contained: Probability = 1.0
    name_unshared_bits: Annotated[int, Field(ge=0)] = 512
    address_close: Probability = 0.85
    address_similar: Probability = 0.65


class Dependence(Contract):
    """How much more often two comparisons show two levels together than they would if each went its own way.

    Rows are the levels of `first`, columns those of `second`, `missing` first in both; entries are log2, 0 where the
    two are independent. Strangers depend on each other's fields too: of two people of one sex and age the forename
    agrees more often. `log2_matches` says the same of matches, and is empty where nothing is known.
    """

    first: str
    second: str
    log2_strangers: tuple[tuple[float, ...], ...] = ()
    log2_matches: tuple[tuple[float, ...], ...] = ()

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if {self.first, self.second} - set(COMPARISONS):
            raise ValueError(f"a dependence is between two of: {', '.join(COMPARISONS)}")
        columns = len(COMPARISONS[self.second]) + 1
        for table in (self.log2_strangers, self.log2_matches):
            if table and ([len(row) for row in table] != [columns] * (len(COMPARISONS[self.first]) + 1)):
                raise ValueError(f"{self.first} and {self.second} need a row for each level of the first and a column")
        return self


class Session(Contract):
    """One training run: the pairs of one blocking pass, on the comparisons that do not overlap with it.

    `last_change` is the largest change of a probability in the last iteration, `log_likelihood` the natural logarithm
    of the pairs' likelihood as the run ended.
    """

    name: str
    pairs: int
    expected_matches: float
    iterations: int
    converged: bool
    used: bool
    note: str = ""
    last_change: float = 0.0
    log_likelihood: float = 0.0


class ExpectedMatches(Contract):
    """How many pairs of two sources (or of one with itself) are matches, reckoned without labels.

    `matches` is their number with those that no blocking pass finds, `low` and `high` its 95 % interval.
    `beyond_blocking` is the share of them that no pass finds, `stopped` how many of these were lost to stop keys.
    """

    left_source: str
    right_source: str
    matches: float
    low: float
    high: float
    beyond_blocking: Annotated[float, Field(ge=0, le=1)] = 0.0
    stopped: float = 0.0


class FitReport(Contract):
    """How a model came about: enough to judge it, and to fit it again to the bit.

    `m_support` is the number of matches that each comparison's m rests on, the shipped m's among them: m is about as
    uncertain as shares counted among so many. `unemitted` is the share of all matches that are too weak to be emitted
    as a pair (None in a model of before it was reckoned), and `unemitted_spread` the standard deviation of their
    number, as a share of it, for odds that are out by one natural unit. `unlinkable` is the share of each source's
    subjects whose fields are too few for a link, whoever they met (empty in such a model).
    """

    seed: int
    subjects: int
    random_pairs: int
    sessions: tuple[Session, ...]
    stopped_pairs: int = 0
    notes: tuple[str, ...] = ()
    expected: tuple[ExpectedMatches, ...] = ()
    m_support: dict[str, float] = Field(default_factory=dict)
    unemitted: Annotated[float, Field(ge=0, lt=1)] | None = None
    unemitted_spread: Annotated[float, Field(ge=0, le=1)] = 1.0
    unlinkable: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)


class MatchModel(Contract):
    """The whole model.

    `broad_passes` find more than the passes do, and too much in large data: a fit makes passes of those that find at
    most `broad_pairs_per_subject` pairs for each subject held, and drops passes that they make needless. `crossings`
    name two passes each of like parts: the first's key of one subject is also sought among the second's keys of others,
    so that a forename meets the other's surname. `default_log2_prior` and `default_log2_relatives` serve pairs of
    sources that `priors` does not name. `vetoes` are the numbers of which two different ones are never one person's: a
    fit takes out those that it finds mistaken too often.
    """

    format_version: Literal[2] = FORMAT_VERSION
    model_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,63}$")]
    title: str
    passes: Annotated[tuple[BlockPass, ...], Field(min_length=1, max_length=24)]
    broad_passes: Annotated[tuple[BlockPass, ...], Field(max_length=8)] = ()
    broad_pairs_per_subject: Annotated[float, Field(ge=0)] = 4.0
    crossings: Annotated[tuple[tuple[str, str], ...], Field(max_length=8)] = ()
    max_block_pairs: Annotated[int, Field(ge=1)] = 1_000_000
    cuts: DiceCuts = DiceCuts()
    comparisons: tuple[Comparison, ...]
    relatives: Relatives
    default_log2_prior: float
    default_log2_relatives: float
    priors: tuple[SourcePrior, ...] = ()
    frequencies: tuple[Frequencies, ...] = ()
    dependences: tuple[Dependence, ...] = ()
    vetoes: tuple[Literal["nhs_number", "nino"], ...] = ("nhs_number", "nino")
    emit_log2_odds: float = -3.2
    policy: DecisionPolicy = DecisionPolicy(review_probability=0.3)
    report: FitReport | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if tuple(c.name for c in self.comparisons) != tuple(COMPARISONS):
            raise ValueError(f"comparisons must be, in this order: {', '.join(COMPARISONS)}")
        named = [block_pass.name for block_pass in self.passes]
        if len(set(named)) < len(named) or not {name for pair in self.crossings for name in pair} <= set(named):
            raise ValueError("passes need names of their own, and crossings must name passes")
        return self

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical JSON without the id, as 64 hexadecimal digits."""
        return hashlib.sha256(self.model_dump_json(exclude={"model_id"}).encode()).hexdigest()

    def named_by_content(self, prefix: str = "fit") -> MatchModel:
        """Return the model under the id `<prefix>-<first 12 digits of its content hash>`: equal models get equal
        ids.
        """
        return self.model_copy(update={"model_id": f"{prefix}-{self.content_hash[:12]}"})


def parse_model(text: str) -> MatchModel:
    """Return the model of a JSON document, which may be of an earlier format (`schemas.model_format`).

    Raises InputError FIELD_INVALID naming the fields that are wrong, or the format that cannot be read.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InputError(
            Reason.FIELD_INVALID, "The model document is no JSON object. Fit it again with `hwlink model fit`."
        )
    try:
        return MatchModel.model_validate_json(json.dumps(upgraded(document)))
    except ValidationError as error:
        places = {".".join(str(part) for part in e["loc"]) or "document" for e in error.errors(include_input=False)}
        raise InputError(
            Reason.FIELD_INVALID,
            f"The model document is wrong at: {', '.join(sorted(places)[:5])}. Fit it again with `hwlink model fit`.",
        ) from None


def default_model() -> MatchModel:
    """Return the shipped model: general m, u and priors, no frequencies, no stop keys, selective passes only."""
    return parse_model(files("schemas").joinpath("models", "default.json").read_text("utf-8"))
