"""Pseudonyms of the National Disease Registration Service: for feeds that hold them already.

SHA-256 of a labelled text with a salt behind it, in lower-case hexadecimal digits: of the NHS number, of the date of
birth with the postcode, and of such a pseudonym once more under a second salt, so that two receivers' ids differ.
Re-implemented from the algorithm of NHS England's published pseudonymisation service.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from schemas.errors import AgreementError, InputError, Reason

_NHS_NUMBER: Final = re.compile(r"[0-9]{10}")
_POSTCODE: Final = re.compile(r"[A-Z0-9 ]+")
_DATE: Final = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]")
_PSEUDONYM: Final = re.compile(r"[a-z0-9]{64}")


def nhs_number_id(nhs_number: str, salt: str) -> str:
    """Return the pseudonym of an NHS number (ten digits).

    InputError FIELD_INVALID where it is not so written; AgreementError KEY_INVALID without a salt.
    """
    _check(_NHS_NUMBER, nhs_number, "an NHS number as ten digits")
    return _salted(f"nhsnumber_{nhs_number}", salt)


def birth_postcode_id(date_of_birth: str, postcode: str, salt: str) -> str:
    """Return the pseudonym of a date of birth (YYYY-MM-DD) with a postcode (upper case; spaces do not matter).

    Raises as `nhs_number_id` does.
    """
    _check(_DATE, date_of_birth, "a date of birth as YYYY-MM-DD")
    _check(_POSTCODE, postcode, "a postcode in upper case")
    return _salted(f"birthdate_postcode_{date_of_birth}_{postcode.replace(' ', '')}", salt)


def again(pseudonym: str, salt: str) -> str:
    """Return the pseudonym of a pseudonym (64 lower-case letters and digits); raises as `nhs_number_id` does."""
    _check(_PSEUDONYM, pseudonym, "a pseudonym of 64 lower-case letters and digits")
    return _salted(f"pseudoid_{pseudonym}", salt)


def _salted(text: str, salt: str) -> str:
    if not salt:
        raise AgreementError(Reason.KEY_INVALID, "The salt is empty; give the salt that the pseudonyms were made with.")
    return hashlib.sha256((text + salt).encode()).hexdigest()


def _check(shape: re.Pattern[str], value: str, what: str) -> None:
    if not shape.fullmatch(value):
        raise InputError(Reason.FIELD_INVALID, f"This kind of pseudonym is made of {what}; bring the value to that.")
