"""Settings of a layout: a TOML file checked against the layout's own model."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import InputError, Reason


class Settings(BaseModel):
    """Base of every layout's settings: what one source's files leave open. Unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


_S = TypeVar("_S", bound=Settings)


def read_settings(path: Path) -> dict[str, Any]:
    """Return a settings file's document; InputError FILE_UNREADABLE or OPTION_INVALID."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise InputError(
            Reason.FILE_UNREADABLE, "The layout's settings cannot be read; give a TOML file in UTF-8."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            Reason.OPTION_INVALID, f"The layout's settings are not TOML ({error}); mend that line."
        ) from None


def checked(model: type[_S], settings: dict[str, Any]) -> _S:
    """Return `settings` as the layout's model; InputError OPTION_INVALID names each setting that is wrong."""
    try:
        return model.model_validate(settings)
    except ValidationError as error:
        wrong = sorted(
            {
                ".".join(str(part) for part in fault["loc"])
                for fault in error.errors(include_input=False, include_url=False)
            }
        )
    raise InputError(
        Reason.OPTION_INVALID,
        f"Not usable with this layout: {', '.join(wrong)}. Its settings are: {', '.join(model.model_fields)}.",
    )
