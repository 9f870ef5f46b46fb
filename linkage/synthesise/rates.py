"""How often things go wrong, each figure with where it comes from.

A rate is the share of people (or of one file's records, where it says so) at `error_scale` 1 in the reference group;
`factor_*` multiply it for groups whose records the literature finds to link worse. Sources:

* ALSPAC: surnames of 18 % and forenames of 12 % of the same people differ between two collections, by ethnicity and
mother's
  age (Int. J. Population Data Science, article 2389).
* HES: date of birth and sex of 0.11 % differ, postcodes of 53 % over many years (BMC Medical Research Methodology
2017).
* HESID: missed matches are commoner in the young and in Asian, Black and other groups (PMC4550723).
* ONS Census 2021 to Personal Demographics Service: people aged 20-29, men and ethnic minorities link less.
* SHBE: defects that users of the Single Housing Benefit Extract report (children without NINO, dummy NINOs, people
in two
  claims).

Numbers marked [assumption] are set so that the whole stands between those sources and the errors of FEBRL's test
sets.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ErrorRates:
    """Shares between 0 and 1, and factors. Pass a changed copy (`dataclasses.replace`) to `population`."""

    # People whose two records differ because life moved on.
    household_moved: float = (
        0.055  # whole home at an earlier address in one file; with the next ~ 9 % a year (census 2021)
    )
    person_moved: float = (
        0.035  # one adult at another address in one file [assumption]; times `factor_moved_young` at 18-29
    )
    factor_moved_young: float = 3.0  # twenty- to thirty-year-olds move about three times as often (census 2021)
    moved_health_is_stale: float = (
        0.65  # the GP hears later than the benefits office, which pays by address [assumption]
    )
    surname_changed: float = 0.035  # women aged 20-45, marriage and divorce; ALSPAC has much more for surnames
    surname_changed_others: float = 0.002  # everybody else [assumption]
    surname_double_barrelled: float = 0.004  # one file has both surnames, the other one [assumption]
    known_as: float = 0.045  # one file holds a short form; a third of ALSPAC's forename differences
    middle_name_used: float = 0.005  # one file holds the middle name as forename [assumption]

    # Records of one file that were written down wrongly (each file on its own).
    typed_forename: float = 0.017  # [assumption], with the next three about 5 % of records in each file
    typed_surname: float = 0.020  # [assumption]
    typed_postcode: float = 0.008  # [assumption]
    typed_address: float = 0.015  # [assumption]
    spelt_forename: float = 0.012  # another spelling of the name, times the community's own factor [assumption]
    spelt_surname: float = 0.008  # as above
    swapped_names: float = (
        0.002  # forename and surname in each other's place, times the community's factor [assumption]
    )
    initial_only: float = 0.003  # forename as one letter [assumption]
    junk_forename: float = 0.06  # newborns under three months registered as "Baby" and the like [assumption]
    birth_date: float = 0.009  # either file; HES finds 0.11 % where the number is traced, councils type from paper
    sex: float = 0.0011  # HES 0.11 %

    # Values that are not there, in the health file and in the welfare file.
    health_no_postcode: float = 0.006  # no fixed abode and unknown [assumption]
    welfare_no_postcode: float = 0.006
    health_no_birth_date: float = 0.0005  # [assumption]
    welfare_no_birth_date: float = 0.001
    health_no_middle_names: float = 0.20  # [assumption]
    welfare_no_middle_names: float = 0.60
    health_no_uprn: float = 0.05  # address matching succeeds for 95-98 % (East London)
    welfare_no_uprn: float = 0.15  # [assumption]
    health_no_address: float = 0.004  # [assumption]
    welfare_no_address: float = 0.006
    no_sex: float = 0.001
    health_no_ethnic_category: float = 0.09  # not stated or not known [assumption]
    welfare_no_ethnic_category: float = 0.28  # the SHBE field is voluntary [assumption]
    ethnic_category_differs: float = 0.02  # [assumption]
    health_no_nhs_number: float = 0.005  # [assumption]
    adult_no_nino: float = 0.03  # claimants and partners; non-dependants three times that [assumption]
    adult_dummy_nino: float = 0.004  # XX999...: seen in real SHBE files
    child_nino: float = 0.01  # children nearly all have none (SHBE)
    child_no_name: float = 0.50  # SHBE child records hold a reference and a date of birth
    unnamed_child_no_birth_date: float = 0.02  # of the unnamed [assumption]
    two_claims: float = 0.005  # people in two claims: seen in real SHBE files

    # Who is hit more often. Names, dates, moves and missing values are multiplied; the product is at most 4.
    factor_minority: float = 1.4  # HESID, ONS
    factor_deprived: float = 1.25  # most deprived fifth: HESID
    factor_young_man: float = 1.4  # aged 20-29: ONS
    cap: float = 0.9  # no rate above this, whatever `error_scale`
