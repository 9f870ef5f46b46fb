"""How often things go wrong, each figure with where it comes from.

A rate is a share of people, or of one file's records, at `error_scale` 1 in the reference group; the `factor_*`
multiply it for groups whose records are found to link worse. What is a habit of a file rather than an error (no
names of children, no UPRN, people in two claims) does not grow with `error_scale`. Sources:

* ALSPAC: surnames of 18 % and forenames of 12 % of the same people differ between two collections, by ethnicity and
  mother's age (International Journal of Population Data Science, article 2389).
* HES: date of birth and sex of 0.11 % differ, postcodes of 53 % over many years (BMC Med Res Methodol 2017).
* HESID: missed matches are commoner in the young and in Asian, Black and other groups (PMC4550723).
* ONS: in Census 2021 to Personal Demographics Service, people aged 20-29, men and ethnic minorities link less.
* SHBE: defects seen in the Single Housing Benefit Extract: children without NINO, dummy NINOs, people in two claims.
* ASSIGN: 98.6 % of addresses of GP patients find their UPRN (IJPDS v6i1.1674).

[assumption] marks what no source gives; together those stand between the sources above and the test sets of FEBRL.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ErrorRates:
    """Shares between 0 and 1, and factors. Pass a changed copy (`dataclasses.replace`) to `population`."""

    # People whose two records differ because life moved on. About 9 % move in a year (census 2021); with half a year
    # and more until the second register hears of it, and tenants moving twice as often, some 10 % are at two
    # addresses.
    household_moved: float = 0.065
    """Homes whose members are at an earlier address in one file [assumption; see above]."""
    factor_moved_family: float = 0.25
    """For homes with dependent children: benefits are paid by address, and schools and health visitors ask
    [assumption]."""
    person_moved: float = 0.04
    """Adults at another address in one file, each alone [assumption; see above]."""
    factor_moved_young: float = 3.0
    """For ages 18 to 29, who move about three times as often (census 2021)."""
    moved_health_is_stale: float = 0.65
    """Of movers, those whose health record has the earlier address: the GP hears later than the office that pays
    [assumption]."""
    surname_changed: float = 0.035
    """Women aged 20-45 with another surname in one file, marriage and divorce [assumption; ALSPAC finds far more
    differences]."""
    surname_changed_others: float = 0.002
    """Everybody else [assumption]."""
    surname_double_barrelled: float = 0.004
    """Two surnames in one file and one of them in the other [assumption]."""
    known_as: float = 0.075
    """Of people whose forename has a short form, those with a short form in one file: about 4 % of all, a third of
    ALSPAC's differences."""
    middle_name_used: float = 0.003
    """The middle name as forename in one file [assumption]; five times that for South Asian men, whose first name
    may be religious."""

    # What one file has written down wrongly, each file on its own. Together about 6 % of records have one of these.
    typed_forename: float = 0.013
    """Slips of the keyboard [assumption, as the next three]."""
    typed_surname: float = 0.014
    typed_postcode: float = 0.007
    typed_address: float = 0.013
    spelt_forename: float = 0.007
    """Another spelling of the same name, times the community's factor (transliteration) [assumption]."""
    spelt_surname: float = 0.006
    """As for forenames."""
    swapped_names: float = 0.0015
    """Forename and surname in each other's place, times the community's factor [assumption]: 0.4 % of people in one
    of the files."""
    initial_only: float = 0.002
    """A forename of one letter [assumption]."""
    junk_forename: float = 0.06
    """Of babies under three months, those registered as "Baby" and the like [assumption]."""
    birth_date: float = 0.008
    """Dates of birth: HES finds 0.11 % where numbers are traced, councils type from paper [assumption]."""
    factor_birth_date_child: float = 0.6
    """For children, whose birth certificates are seen [assumption]."""
    sex: float = 0.0011
    """HES: 0.11 %."""

    # Values that are missing by mistake.
    health_no_postcode: float = 0.005
    """No fixed abode and unknown [assumption, as the others of this group]."""
    welfare_no_postcode: float = 0.005
    health_no_birth_date: float = 0.0003
    welfare_no_birth_date: float = 0.001
    health_no_address: float = 0.003
    welfare_no_address: float = 0.005
    no_sex: float = 0.001

    # Habits of the files; not multiplied by `error_scale`.
    health_no_middle_names: float = 0.20
    """[assumption]"""
    welfare_no_middle_names: float = 0.60
    """[assumption]"""
    health_no_uprn: float = 0.05
    """ASSIGN, with some left for addresses that it calls improbable."""
    welfare_no_uprn: float = 0.15
    """[assumption]"""
    health_no_ethnic_category: float = 0.09
    """Not stated or not known [assumption]."""
    welfare_no_ethnic_category: float = 0.28
    """The SHBE field is voluntary [assumption]."""
    ethnic_category_differs: float = 0.02
    """Coded as another category [assumption]."""
    health_no_nhs_number: float = 0.005
    """[assumption]"""
    adult_no_nino: float = 0.03
    """Claimants and partners [assumption]; non-dependants three times that."""
    adult_dummy_nino: float = 0.004
    """XX999 and digits: SHBE, share [assumption]."""
    child_nino: float = 0.01
    """Children nearly all have none: SHBE."""
    child_no_name: float = 0.35
    """SHBE child records hold a reference and a date of birth; Universal Credit and local schemes hold names
    [assumption for the share]."""
    unnamed_child_no_birth_date: float = 0.02
    """Of children without a name [assumption]."""
    two_claims: float = 0.002
    """People in two claims: SHBE, share [assumption]. Where the welfare file is taken to hold one record per person,
    each of them can cost all three pairs of that person's records."""

    # Who is hit more often. Names, dates, moves and missing values are multiplied; the product is at most 4.
    factor_minority: float = 1.4
    """HESID, ONS for the direction; the size is an [assumption], as the next two."""
    factor_deprived: float = 1.25
    """Most deprived fifth: HESID."""
    factor_young_man: float = 1.4
    """Aged 20-29: ONS."""
    cap: float = 0.9
    """No rate goes above this, whatever `error_scale`."""
