"""Single Housing Benefit Extract: field numbers, header variants and codes.

Source: DWP's column numbers as the University of Leeds' parser of Leeds City Council's extracts has them (Apache-2.0,
`agdt-java-data-SHBE`), which names the fields and their codes. What that source does not say is marked [K] and is a
setting where it matters.
"""

from __future__ import annotations

from typing import Final

from schemas.codes import ClaimStatus, EthnicCategory, Passported, Tenure

RECORD_TYPE: Final = "1"
HB_CLAIM: Final = "2"
CTB_CLAIM: Final = "3"
NINO: Final = "4"
DATE_OF_BIRTH: Final = "8"
TENANCY: Final = "9"
POSTCODE: Final = "11"
PASSPORTED: Final = "12"
CHILDREN: Final = "13"
NON_DEPENDANTS: Final = "14"
STATUS: Final = {"hb": "33", "ctr": "34"}
STARTED: Final = {"hb": "41", "ctr": "201"}
ENDED: Final = {"hb": "202", "ctr": "203"}
AWARD: Final = {"hb": "43", "ctr": "44"}
ELIGIBLE_RENT: Final = "57"
COUNCIL_TAX: Final = "58"
LHA_APPLIES: Final = "62"
DISCRETIONARY: Final = "70"
INCOME: Final = ("73", "131")
"""Assessed weekly income of claimant and partner: together the claim's."""
CAPITAL: Final = ("75", "239")
EARNINGS: Final = ("76", "78")
"""Gross weekly earnings of the claimant, employed and self-employed; the partner's are `PARTNER_EARNINGS`."""
PARTNER_EARNINGS: Final = ("133", "135")
DISABILITY_PREMIUMS: Final = ("117", "118", "119", "121")
"""Disability, severe disability, disabled child, enhanced disability: any of them, by the source's own rule."""
CARER_PREMIUM: Final = "120"
PARTNER_FLAG: Final = "123"
PARTNER_NINO: Final = "126"
SEX: Final = "177"
PARTNER_DATE_OF_BIRTH: Final = "178"
CONTRACTUAL_RENT: Final = "181"
RENT_PERIOD: Final = "182"
LHA: Final = "209"
PARTNER_SEX: Final = "213"
NON_DEPENDANT_EARNINGS: Final = "214"
ACCOMMODATION: Final = "237"
HOURS: Final = "241"
PARTNER_HOURS: Final = "242"
ETHNIC_GROUP: Final = "247"
NOTIFIED: Final = "251"
EFFECTIVE: Final = "253"
PARTNER_DATE_OF_DEATH: Final = "284"
SUB_TYPE: Final = "308"
SUB_REFERENCE: Final = "309"
SUB_STARTED: Final = "310"
SUB_ENDED: Final = "311"
SUB_DATE_OF_BIRTH: Final = "315"

NAMES: Final = {
    "claimant": {"surname": ("6",), "forename": ("7",), "middle_names": ("279",)},
    "partner": {"surname": ("128",), "forename": ("129",), "middle_names": ("283",)},
    "sub": {"surname": ("313",), "forename": ("314",)},
}
"""Names, in files that still have them. That 5-7 and 127-129 are title, surname and forename is [K], after 312-314,
of which the source says so; 279 and 283 are its second forenames."""
ADDRESS: Final = ("10", "280", "281", "282")
"""Address lines, in files that still have them. 280-282 are the source's lines 2 to 4; that 10 is the first is [K]."""

REQUIRED: Final = (
    RECORD_TYPE, HB_CLAIM, CTB_CLAIM, DATE_OF_BIRTH, TENANCY, POSTCODE, CHILDREN, NON_DEPENDANTS, *STATUS.values(),
    *AWARD.values(), PARTNER_FLAG, SUB_TYPE, SUB_REFERENCE,
)  # fmt: skip
"""Without one of these, nobody can say who is in a claim or what it is."""
USED: Final = tuple(
    dict.fromkeys((
        *REQUIRED, NINO, PASSPORTED, *STARTED.values(), *ENDED.values(), ELIGIBLE_RENT, COUNCIL_TAX, LHA_APPLIES,
        DISCRETIONARY, *INCOME, *CAPITAL, *EARNINGS, *PARTNER_EARNINGS, *DISABILITY_PREMIUMS, CARER_PREMIUM,
        PARTNER_NINO, SEX, PARTNER_DATE_OF_BIRTH, CONTRACTUAL_RENT, RENT_PERIOD, LHA, PARTNER_SEX,
        NON_DEPENDANT_EARNINGS, ACCOMMODATION, HOURS, PARTNER_HOURS, ETHNIC_GROUP, NOTIFIED, EFFECTIVE,
        PARTNER_DATE_OF_DEATH, SUB_STARTED, SUB_ENDED, SUB_DATE_OF_BIRTH,
        *(number for person in NAMES.values() for numbers in person.values() for number in numbers), *ADDRESS,
    ))
)  # fmt: skip
FORBIDDEN: Final = {
    "5": "claimant's title", "127": "partner's title", "312": "sub-record's title",
    "288": "sort code", "289": "bank account", "300": "landlord", "301": "landlord", "302": "landlord",
    "303": "landlord", "304": "landlord", "305": "landlord", "306": "landlord", "307": "landlord's postcode",
}  # fmt: skip
"""Fields of identity that nothing is made of. That 300-306 are the landlord's is [K], after 307, of which the source
says so; they are absent from both known headers, as identifying fields are."""

LAST_FIELD: Final = 341
_ABSENT: Final = {
    5, 6, 7, 10, 127, 128, 129, 212, 279, 280, 281, 282, 283, 288, 289, *range(300, 307), 312, 313, 314,
}  # fmt: skip
TYPE_1: Final = tuple(str(number) for number in range(1, LAST_FIELD + 1) if number not in _ABSENT)
"""The header with landlord's postcode (307) and date of birth of a sub-record (315)."""
TYPE_0: Final = tuple(number for number in TYPE_1 if number not in {"307", "315"})
"""The header without these two."""

RECORD_TYPES: Final = {
    "A": "applications in progress (A), not used",
    "D": "live claims (D)",
    "C": "closed or decided claims (C), not used",
    "R": "reviews (R), not used",
    "T": "changes of circumstances (T)",
    "P": "appeals (P), not used",
    "G": "the authority's own record (G), not used",
    "E": "payment errors (E), not used",
    "S": "members of claims (S)",
}

TENURES: Final = {
    "1": Tenure.COUNCIL,
    "2": Tenure.PRIVATE_RENT,
    "3": Tenure.PRIVATE_RENT,
    "4": Tenure.HOUSING_ASSOCIATION,
    "5": Tenure.OWNER,
    "6": Tenure.PRIVATE_RENT,
    "7": Tenure.OTHER,
    "8": Tenure.COUNCIL,
    "9": Tenure.PRIVATE_RENT,
}
"""Field 9: 1 council (housing revenue account), 2 and 3 private (regulated, not), 4 housing association, 5 council tax
only and owner, 6 other private, 7 council tax only and not owner, 8 council outside that account, 9 private with
meals."""
COUNCIL_TAX_ONLY: Final = ("5", "7")
"""Tenancies without a Housing Benefit claim."""
STATUSES: Final = {"0": ClaimStatus.OTHER, "1": ClaimStatus.IN_PAYMENT, "2": ClaimStatus.SUSPENDED}
ETHNIC_CATEGORIES: Final = {
    **{str(number + 1): code for number, code in enumerate("ABCDEFGHJKLMNPR")},
    "16": EthnicCategory.OTHER.value,
    "99": EthnicCategory.OTHER.value,
}
"""Field 247 -> NHS ethnic category 2001: both lists have the same first fifteen, in the same order."""
PASSPORTED_UNMAPPED: Final = dict.fromkeys("012345", Passported.NOT_KNOWN)
"""Field 12 has six values; which number is which benefit is in no open source, so a source's settings say it."""
CHILD: Final = "1"
NON_DEPENDANT: Final = "2"


def variant(header: tuple[str, ...]) -> str:
    """Return which of the known headers this is, in words."""
    known = {TYPE_0: "header type 0", TYPE_1: "header type 1"}
    return known.get(header, "header of its own")


def header_faults(header: tuple[str, ...]) -> str | None:
    """Return what is wrong with a header, None if it can be read. Nothing of an unrecognised one is repeated."""
    named = [name for name in header if name]
    if header[:1] != (RECORD_TYPE,) or not all(name.isdigit() and 1 <= int(name) <= LAST_FIELD for name in named):
        return "its first line is not DWP's field numbers (1,2,3,4,8,...), each once"
    missing = [number for number in REQUIRED if number not in header]
    return f"its first line lacks the field numbers {', '.join(missing)}" if missing else None
