"""Names: `forename/1` and `surname/1`.

Upper case without accents, apostrophes or digits; hyphens and other marks become spaces; titles and generation
suffixes go; what a form was filled with for want of a name becomes missing. Words stay apart, since nicknames look at
the first.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.normalise.reasons import FieldReason

LONGEST_NAME: Final = 100

# Letters that Unicode decomposition leaves whole.
_WHOLE_LETTERS: Final = {"Æ": "AE", "Œ": "OE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "Ħ": "H", "Ŧ": "T"}

_TITLES: Final = r"^((MR|MRS|MISS|MS|MX|DR|REV|REVD|PROF|SIR|DAME|LORD|LADY|MASTER|MSTR|CLLR)( |$))+"
_SUFFIXES: Final = r"( (JR|JNR|JUNIOR|SR|SNR|SENIOR|II|III|IV|ESQ))+$"

# What systems hold for want of a name; the first group is how maternity systems name a child before it has one.
_UNNAMED_CHILD: Final = (
    r"^(BABY|BABE|BABYBOY|BABYGIRL|INFANT|NEWBORN|TWIN|TRIPLET|FOETUS|FETUS|(SON|DAUGHTER|CHILD|BOY|GIRL) OF)( .*)?$"
)
# Data that systems hold, none of it a mark of open work: whole names of only X or Z are typed to fill a required field.
_FILLERS: Final = (
    "UNKNOWN", "UNK", "UNKN", "UNNAMED", "NOT KNOWN", "NOTKNOWN", "NOT GIVEN", "NOT STATED", "NOT PROVIDED", "NK",
    "N K", "NFN", "NO NAME", "NONAME", "NONE", "NIL", "NULL", "NAN", "TBC", "TBA", "ANON", "ANONYMOUS", "WITHHELD",
    "REFUSED", "DUMMY", "TEST", "TESTPATIENT", "DO NOT USE", "DONOTUSE", "DUPLICATE", "DECEASED", "XX", "XXX", "XXXX",
    "ZZZ", "ZZZZ",
)  # fmt: skip
_FORENAME_FILLERS: Final = (*_FILLERS, "NA", "N A", "FORENAME", "FIRST NAME", "BOY", "GIRL", "MALE", "FEMALE", "CHILD")
_SURNAME_FILLERS: Final = (*_FILLERS, "SURNAME", "LAST NAME", "N A", "PATIENT", "NO SURNAME")


def fold_letters(text: pl.Series) -> pl.Series:
    """Upper case, compatibility-decomposed and without combining marks, so that `Zoë`, `ZOE` and `Zoe` are one."""
    folded = text.str.normalize("NFKD").str.to_uppercase().str.replace_all(r"\p{M}", "")
    return folded.str.replace_many(list(_WHOLE_LETTERS), list(_WHOLE_LETTERS.values()))


def forename(raw: pl.Series) -> pl.DataFrame:
    """`forename/1`: `value` (without spaces), `value_words` (one space between), `reason`. Leading titles are
    dropped."""
    words = _words(raw)
    return _judged(raw, words, words.str.replace(_TITLES, "").str.strip_chars(" "), _FORENAME_FILLERS)


def surname(raw: pl.Series) -> pl.DataFrame:
    """`surname/1`: as `forename/1`, with generation suffixes and letters after the name dropped too."""
    words = _words(raw)
    cleaned = words.str.replace(_TITLES, "").str.replace(_SUFFIXES, "").str.strip_chars(" ")
    return _judged(raw, words, cleaned, _SURNAME_FILLERS)


def _words(text: pl.Series) -> pl.Series:
    bare = fold_letters(text).str.replace_all(r"\([^)]*\)", " ").str.replace_all(r"['’‘`´ʼʹ]|\p{Nd}", "")
    return bare.str.replace_all(r"[^\p{L}]+", " ").str.strip_chars(" ")


def _judged(raw: pl.Series, words: pl.Series, cleaned: pl.Series, fillers: tuple[str, ...]) -> pl.DataFrame:
    # `DE SOUZA` and `DESOUZA`, `ANNE MARIE` and `ANNEMARIE` are one: the value has no spaces. It is judged so too,
    # so that what is normal is not refused when it comes again (`M X`).
    compact = cleaned.str.replace_all(" ", "", literal=True)
    frame = pl.DataFrame({"raw": raw, "words": words, "cleaned": cleaned, "compact": compact})
    filler = pl.any_horizontal(
        pl.col(name).is_in(fillers) | pl.col(name).str.contains(_UNNAMED_CHILD)
        for name in ("words", "cleaned", "compact")
    )
    only_a_title = (pl.col("words") != "") & (pl.col("compact").str.replace(_TITLES, "") == "")
    length = pl.col("compact").str.len_chars()
    judged = frame.with_columns(
        reason=pl.when(pl.col("raw").str.len_chars() > LONGEST_NAME)
        .then(pl.lit(FieldReason.TOO_LONG.value))
        .when(filler | only_a_title)
        .then(pl.lit(FieldReason.PLACEHOLDER.value))
        .when(length == 0)
        .then(pl.lit(FieldReason.NO_LETTERS.value))
        .when(length == 1)
        .then(pl.lit(FieldReason.INITIAL_ONLY.value))
    )
    good = pl.col("reason").is_null()
    return judged.select(
        pl.when(good).then("compact").alias("value"), pl.when(good).then("cleaned").alias("value_words"), "reason"
    )
