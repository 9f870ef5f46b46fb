"""What looks like a clear identifier: the last look at values that their contract already refuses, or nearly does.

Only such values come here, a few in any honest feed, so these are plain functions of one value. Nothing here returns,
raises or logs the value it was shown.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_NHS_NUMBER: Final = re.compile(r"(?<!\d)(\d{3})[ -]?(\d{3})[ -]?(\d{4})(?!\d)")
_NINO: Final = re.compile(r"(?<![A-Z0-9])[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]?(?![A-Z0-9])")
_POSTCODE: Final = re.compile(r"(?<![A-Z0-9])[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}(?![A-Z0-9])")
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_PHONE: Final = re.compile(r"(?<!\d)(\+44 ?\d|0\d)[\d ]{8,11}(?!\d)")
_FULL_DATE: Final = re.compile(
    r"(?<!\d)((19|20)\d\d[-/.]?(0[1-9]|1[0-2])[-/.]?(0[1-9]|[12]\d|3[01])|\d{1,2}[-/.]\d{1,2}[-/.](19|20)?\d\d)(?!\d)"
)
_NHS_WEIGHTS: Final = range(10, 1, -1)

_TEXT_BYTES: Final = re.compile(rb"[A-Za-z0-9 '\-./@,&]{1,63}[ \x00]*")
"""Text, padded or not. A keyed hash of 16 bytes matches with probability (71/256)^16, one in a thousand million."""

_PADDED_DIGITS: Final = re.compile(r"0{8}\d{24}|\d{24}0{8}")
_HEX_REF: Final = re.compile(r"[0-9a-f]{32}")


def nhs_check_digit_holds(digits: str) -> bool:
    """Whether ten digits satisfy the NHS number's modulus 11 (NHS Data Dictionary), in issue or not."""
    total = sum(int(d) * w for d, w in zip(digits, _NHS_WEIGHTS, strict=False))
    return (11 - total % 11) % 11 == int(digits[9])


def text_is_identifying(text: str, *, dates_belong: bool = False) -> bool:
    """Whether a string holds an NHS number, NINO, full postcode, e-mail address, telephone number or full date.

    NHS numbers count when their check digit holds, 9xx included, and NINOs by their shape, QQ included: a test
    identifier in clear says that real ones would come in clear too. `dates_belong` where the field is a date.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    if any(nhs_check_digit_holds("".join(match.groups())) for match in _NHS_NUMBER.finditer(plain)):
        return True
    patterns = (_NINO, _POSTCODE, _EMAIL, _PHONE) if dates_belong else (_NINO, _POSTCODE, _EMAIL, _PHONE, _FULL_DATE)
    return any(pattern.search(plain) for pattern in patterns)


def bytes_are_text(value: bytes) -> bool:
    """Whether the bytes of a token or filter are legible text: a value that nobody hashed."""
    return _TEXT_BYTES.fullmatch(value) is not None


def bytes_are_words(value: bytes) -> bool:
    """Whether bytes are printable UTF-8 with a letter in it, accents included: looser, for values of a wrong length."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return text.isprintable() and any(c.isalpha() for c in text)


def reference_is_plain(ref: str) -> bool:
    """Whether 32 hexadecimal digits are no keyed reference but a number padded with zeros, or text written in hex."""
    if not _HEX_REF.fullmatch(ref):
        return False
    return _PADDED_DIGITS.fullmatch(ref) is not None or bytes_are_text(bytes.fromhex(ref).lstrip(b"\x00"))
