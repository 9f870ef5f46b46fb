"""How often things go wrong, and where each figure is from.

Sources: ALSPAC (Lam et al. 2024, Int J Popul Data Sci 9:1, article 2389: between two collections 18 % of surnames and
12 % of forenames of the same person disagree, by natural change and by entries that are no names; more by ethnic group
and for young mothers). HESID (Hagger-Johnson et al. 2015, BMJ Open 5:e008118: 4.1 % of matches missed, more for the
young, for Asian, Black and other groups and where values are missing). HES against PDS (Harron et al. 2017, BMC Med Res
Methodol 17:23: sex and date of birth differ in 0.11 % of records, postcodes in 53 %; errors gather in organisations).
Census 2021: 9 % of people moved within the year. Births in England and Wales: some 15 of 1,000 maternities are of more
than one child (ONS). Children in claims without name or NINO: the single housing benefit extract, which holds a
reference for a child and often a date of birth. [assumed] marks what no source gives.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Shares of people (or of records of one file) at `error_scale` 1, averaged over all groups."""

    # What life changes between the two collections.
    household_moved: float = 0.06
    """Homes at an earlier address in one file; all of the household alike. With the next, 9 to 10 % (census)."""
    person_moved: float = 0.035
    """Adults who moved alone; three times as many of those aged 18 to 29."""
    move_is_unheard_by_one: float = 0.15
    """Of people in a moved household, those whose other file was told all the same [assumed]."""
    surname_changed_woman: float = 0.17
    """Women of 20 to 45 with another surname: marriage, separation, going back. With spelling and entry it makes
    ALSPAC's 18 % over all; half as often at later ages."""
    surname_changed_child: float = 0.08
    """Children who go by the other parent's surname, or a step-parent's, in one file."""
    moved_on_marriage: float = 0.5
    """Of changed surnames, those with a move at once [assumed]."""
    postcode_retired: float = 0.004
    """Postcodes that Royal Mail replaced, the old one still on a file [assumed]."""

    # What people are called.
    called_by: float = 0.16
    """Of forenames with a short form, those who are in one file with it: some 5 % of all forenames."""
    middle_used: float = 0.012
    custom: float = 0.14
    """A naming custom of the community, of those whose community has one: other order, clan for Singh, one of two
    surnames, the masculine form."""

    # What clerks write, each file on its own; multiplied by the clerk's and the person's factor.
    respelt_forename: float = 0.012
    respelt_surname: float = 0.014
    typed_forename: float = 0.010
    typed_surname: float = 0.014
    marks: float = 0.5
    """Of names with an accent, a hyphen, an apostrophe or a space, those written without: no error to a person, one
    to a program."""
    no_name: float = 0.004
    """A filler for a surname, a title or an initial for a forename ("non-valid entries")."""
    swapped_names: float = 0.003
    birth_date_health: float = 0.0011
    """HES against PDS."""
    birth_date_welfare: float = 0.008
    """Typed from paper and from the telephone [assumed]."""
    sex: float = 0.0011
    """HES against PDS."""
    relative_birth_date: float = 0.0006
    """The line above was typed again: a relative's date of birth [assumed]."""
    typed_postcode: float = 0.006
    typed_address: float = 0.012
    """Of households, not of people: the family's records share it."""

    # What a file does not say.
    child_no_name: float = 0.12
    """Children in claims [assumed for the share]; no NINO but for one in a hundred."""
    unnamed_child_no_birth_date: float = 0.5
    """Half of them: the extract of older claims holds a reference only."""
    no_birth_date: float = 0.002
    no_postcode: float = 0.006
    no_address: float = 0.008
    no_sex: float = 0.002
    no_nhs_number: float = 0.008
    adult_no_nino: float = 0.04
    dummy_nino: float = 0.006
    uprn_health: float = 0.40
    """Present; on most there is none [assumed]."""
    uprn_welfare: float = 0.25
    middle_health: float = 0.70
    middle_welfare: float = 0.30
    no_ethnic_category: float = 0.12

    # Whom it hits: relative rates, brought to a mean of one so that the shares above hold over all.
    minority: float = 1.6
    """HESID and ALSPAC for the direction, the sizes are [assumed]."""
    young: float = 1.4
    """Ages 16 to 29."""
    deprived: float = 1.3
    clerk_spread: float = 0.8
    """Shape of a gamma distribution of mean 1: a fifth of clerks make half of the errors (HES: by organisation)."""
    person_spread: float = 2.0
    """The same for people: one who is hard to write down is so twice."""
