"""Keys: derivation by the published vectors, and key files that cannot be mistaken."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from linkage.encode import KeyPurpose, ProjectKeys, key_file_text, secret_from_key_file
from linkage.encode.keys import derive_key
from linkage.encode.tokens import keyed_digests
from schemas.errors import AgreementError, Reason

SECRET = bytes(range(32))


def test_derivation_follows_rfc_5869() -> None:
    """Test cases 1 and 3 of its appendix A."""
    first = derive_key(
        bytes.fromhex("0b" * 22),
        bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"),
        salt=bytes.fromhex("000102030405060708090a0b0c"),
        length=42,
    )
    third = derive_key(bytes.fromhex("0b" * 22), b"", length=42)

    assert first.hex() == ("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
    assert third.hex() == ("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")


@pytest.mark.parametrize("key", [b"k" * 20, SECRET, b"\xaa" * 64])
def test_digests_are_hmac_sha256_cut_to_128_bits(key: bytes) -> None:
    """The copied states must give what the standard library's HMAC gives."""
    values = [b"", b"SMITH", b"x" * 200]

    assert keyed_digests(values, key) == [hmac.new(key, value, hashlib.sha256).digest() for value in values]


def test_sub_keys_differ_by_domain_purpose_epoch_and_secret() -> None:
    """No two uses share a key, so no value made for one can be compared with one made for another."""
    keys = ProjectKeys(SECRET, "e1")
    made = [
        keys.sub_key("name", KeyPurpose.TOKEN),
        keys.sub_key("name", KeyPurpose.FILTER),
        keys.sub_key("name", KeyPurpose.REFERENCE),
        keys.sub_key("name", KeyPurpose.CLAIM),
        keys.sub_key("names", KeyPurpose.TOKEN),
        ProjectKeys(SECRET, "e2").sub_key("name", KeyPurpose.TOKEN),
        ProjectKeys(bytes(32), "e1").sub_key("name", KeyPurpose.TOKEN),
    ]

    assert len(set(made)) == len(made)
    assert {len(key) for key in made} == {32}


def test_keys_do_not_show_their_secret() -> None:
    """A key in a traceback or a log line would be a key lost."""
    shown = repr(ProjectKeys(SECRET, "e1"))

    assert "e1" in shown
    assert "secret" not in shown
    assert repr(SECRET)[2:20] not in shown


def test_a_secret_of_another_length_is_refused() -> None:
    """A short secret is a weak one."""
    with pytest.raises(AgreementError) as caught:
        ProjectKeys(b"short", "e1")

    assert caught.value.reason is Reason.KEY_INVALID


def test_a_key_file_gives_its_secret_back() -> None:
    """Spaces and line ends around it do not matter."""
    text = key_file_text(SECRET)

    assert secret_from_key_file(text) == SECRET
    assert secret_from_key_file(f"  {text}\r\n") == SECRET
    assert text.count("\n") == 1


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda text: "", "not an hwlink key file"),
        (lambda text: "-----BEGIN PRIVATE KEY-----", "not an hwlink key file"),
        (lambda text: text + text, "not an hwlink key file"),
        (lambda text: text.replace("secret:1", "secret:2"), "not an hwlink key file"),
        (lambda text: text[:60], "64 hexadecimal digits"),
        (lambda text: text.replace("00", "0g", 1), "64 hexadecimal digits"),
        (lambda text: text.replace("0001", "0010", 1), "checksum"),
        (lambda text: text.strip()[:-1], "checksum"),
    ],
)
def test_a_spoilt_key_file_is_refused_without_showing_it(spoil, what: str) -> None:
    """Each fault is told apart, and no message quotes the key."""
    with pytest.raises(AgreementError) as caught:
        secret_from_key_file(spoil(key_file_text(SECRET)))

    assert caught.value.reason is Reason.KEY_INVALID
    assert what in caught.value.message
    assert SECRET.hex()[10:30] not in caught.value.message
