"""OpenPseudonymiser's digest, as other systems make it: for feeds that hold such digests already.

The rule, established from that programme's published behaviour and re-implemented: the values in the order of their
fields' names are joined, white space (carriage return, line feed, tab, space, and nothing else) is taken out, the salt
follows as it is, and SHA-256 of the UTF-8 text is written in upper-case hexadecimal digits. Its own order of names is
that of a culture; names of ASCII letters and digits sort alike in every one, so others are refused.

A digest is as good as its salt is secret: whoever has the salt can try every NHS number within minutes. Nothing that
hwlink sends is such a digest; it is keyed anew (decision 0120).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from schemas.errors import AgreementError, InputError, Reason

_TAKEN_OUT: Final = str.maketrans("", "", "\r\n\t ")
_FIELD_NAME: Final = re.compile(r"[A-Za-z0-9_]+")
_NOT_A_DIGIT: Final = re.compile(r"[^0-9]")
_YEARS_LAST: Final = re.compile(r"[0-9]{2}(?P<mark>[/.])[0-9]{2}(?P=mark)(?P<year>[0-9]{2}|[0-9]{4})")
_YEARS_FIRST: Final = re.compile(r"(?P<year>[0-9]{4})[0-9]{4}")
_LAST_YEAR_OF_2000S: Final = 29
"""Two digits up to here are years after 2000: the rule of .NET's invariant culture, in which that programme reads."""


def digest(fields: Mapping[str, str], salt: str) -> str:
    """Return the digest of named values: 64 upper-case hexadecimal digits.

    InputError COLUMNS_WRONG for a field name that would not sort alike everywhere; AgreementError KEY_INVALID without
    a salt, as the digest would then be anybody's to compute.
    """
    if not salt:
        raise AgreementError(Reason.KEY_INVALID, "The salt is empty; give the salt that the digests were made with.")
    if not fields or not all(_FIELD_NAME.fullmatch(name) for name in fields):
        raise InputError(
            Reason.COLUMNS_WRONG, "Digests are made of fields named by ASCII letters and digits; rename the columns."
        )
    # Case decides between names that are otherwise the same alone, as it does in a culture's order.
    ordered = sorted(fields, key=lambda name: (name.lower(), name.swapcase()))
    text = "".join(fields[name] for name in ordered).translate(_TAKEN_OUT)
    return hashlib.sha256((text + salt).encode()).hexdigest().upper()


def nhs_number_digits(text: str) -> str:
    """Return the digits of an NHS number as written, which is how it enters a digest."""
    return _NOT_A_DIGIT.sub("", text)


def round_down_date(text: str) -> str:
    """Return a date's year as `YYYY0101`, and any text that is written in no known way unchanged.

    Known are yyyyMMdd, dd/MM/yyyy, dd/MM/yy, dd.MM.yyyy and dd.MM.yy.
    """
    found = _YEARS_FIRST.fullmatch(text) or _YEARS_LAST.fullmatch(text)
    if found is None or not _is_date(text, found["year"]):
        return text
    return f"{_whole_year(found['year'])}0101"


def _whole_year(year: str) -> str:
    if len(year) == len("yyyy"):
        return year
    return f"{20 if int(year) <= _LAST_YEAR_OF_2000S else 19}{year}"


def _is_date(text: str, year: str) -> bool:
    """Whether day and month of a text of a known shape are a calendar's."""
    first, second = (text[6:8], text[4:6]) if text.isdigit() else (text[:2], text[3:5])
    return _calendar_has(int(_whole_year(year)), int(second), int(first))


def _calendar_has(year: int, month: int, day: int) -> bool:
    if not (1 <= month <= 12 and year >= 1):
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= day <= lengths[month - 1]
