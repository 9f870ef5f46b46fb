"""Who may import whom: the contracts hold, they are not blind, and what they cannot see is looked for here."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("schemas", "linkage", "services")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def modules(folder: str) -> Iterator[Path]:
    return (path for path in sorted((ROOT / folder).rglob("*.py")) if "__pycache__" not in path.parts)


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_import_contracts_are_kept() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


LINKAGE_SHELL = "linkage/violation.py"
VIOLATIONS = {
    "schemas imports linkage": ("schemas/violation.py", "import linkage", "services -> linkage -> schemas"),
    "linkage imports services": (LINKAGE_SHELL, "import services.settings", "services -> linkage -> schemas"),
    "linkage logs": (LINKAGE_SHELL, "import logging", "linkage is pure"),
    "linkage reads a clock": (LINKAGE_SHELL, "from time import monotonic", "linkage is pure"),
    "linkage takes chances": (LINKAGE_SHELL, "import random", "linkage is pure"),
    "linkage opens a socket": (LINKAGE_SHELL, "def f():\n    import socket", "linkage is pure"),
    "linkage talks to a store": (LINKAGE_SHELL, "import sqlalchemy", "linkage is pure"),
    "schemas calls": ("schemas/violation.py", "import grpc", "schemas only says"),
    "a role imports a role": (
        "services/ingest/violation.py",
        "import services.landing",
        "roles never import one another",
    ),
    "a role imports the command line": ("services/ingest/violation.py", "import services.cli", "cli -> bootstrap"),
    "a port imports a role": ("services/bus/violation.py", "import services.ingest", "cli -> bootstrap"),
    "a role imports an adapter": (
        "services/ingest/violation.py",
        "from services.bus.sqlite import violation",
        "adapters are constructed",
    ),
    "a role imports part of an adapter": (
        "services/ingest/violation.py",
        "from services.registry.sql.tables import x",
        "adapters are constructed",
    ),
    "a service imports recordlinkage": ("services/ingest/violation.py", "import recordlinkage", "recordlinkage is"),
    "a new folder has no place": ("services/novelty/__init__.py", "", "cli -> bootstrap"),
}


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's shape without its code: every module that the contracts name, empty."""
    root = tmp_path_factory.mktemp("skeleton")
    shutil.copy(ROOT / "pyproject.toml", root)
    for name in (
        *ROOMS,
        *(f"services/{role}" for role in ("ingest", "landing", "cli", "bus", "lake", "registry", "registry/sql", "pb")),
    ):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / "__init__.py").touch()
    for name in ("bus/sqlite", "lake/delta", "lake/latest", "registry/sql/tables", "generate", "settings"):
        (root / "services" / f"{name}.py").touch()
    (root / "services/generation").mkdir()
    (root / "services/generation/__init__.py").touch()
    return root


def test_skeleton_without_violation_is_kept(skeleton: Path) -> None:
    result = lint(skeleton)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_reader_may_use_the_latest_view(skeleton: Path) -> None:
    module = skeleton / "services/landing/reader.py"
    module.write_text("from services.lake.latest import latest")
    try:
        assert lint(skeleton).returncode == 0
    finally:
        module.unlink()


@pytest.mark.parametrize("case", VIOLATIONS)
def test_a_violation_is_caught(skeleton: Path, case: str) -> None:
    path, text, contract = VIOLATIONS[case]
    module = skeleton / path
    module.parent.mkdir(exist_ok=True)
    module.write_text(text)
    try:
        result = lint(skeleton)
    finally:
        module.unlink()
        if module.name == "__init__.py":
            module.parent.rmdir()
    assert result.returncode == 1, result.stdout + result.stderr
    broken = [line for line in result.stdout.splitlines() if line.endswith("BROKEN")]
    assert len(broken) == 1, broken
    assert contract in broken[0]


@pytest.mark.parametrize("room", ROOMS)
def test_every_package_folder_is_visible(room: str) -> None:
    """import-linter and setuptools pass over a folder without `__init__.py` in silence."""
    folders = {path.parent for path in modules(room)}
    assert folders
    missing = [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()]
    # Alembic runs its migrations from files; they are no package.
    assert [folder for folder in missing if "migrations" not in folder] == []


# What linkage may not do and no import tells: read a clock, take an unseeded chance, touch a file, print.
_IMPURE = re.compile(
    r"^(open|print|input|breakpoint)$"
    r"|(^|\.)(datetime|date)\.(now|utcnow|today)$"
    r"|(^|\.)(np|numpy)\.random\.(?!default_rng$|Generator$|PCG64$|Philox$|SeedSequence$)\w+$"
    r"|\.(read_csv|scan_csv|read_parquet|scan_parquet|write_csv|write_parquet|sink_parquet|to_csv|to_parquet)$"
)


def impurities(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            unseeded = name.endswith("default_rng") and not (node.args or node.keywords)
            if _IMPURE.search(name) or unseeded:
                yield f"line {node.lineno}: {name}"


def test_linkage_is_pure_beyond_its_imports() -> None:
    found = {
        str(path.relative_to(ROOT)): list(impurities(ast.parse(path.read_text("utf-8")))) for path in modules("linkage")
    }
    assert {path: calls for path, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    "text",
    ["open('x')", "print(1)", "datetime.now()", "dt.date.today()", "np.random.rand(3)", "np.random.default_rng()"],
)
def test_an_impurity_is_caught(text: str) -> None:
    assert list(impurities(ast.parse(text)))


@pytest.mark.parametrize("text", ["np.random.default_rng(seed)", "date.fromisoformat(x)", "frame.select(pl.all())"])
def test_what_is_pure_passes(text: str) -> None:
    assert not list(impurities(ast.parse(text)))


# The separation principle, as far as code can show it: matching never names content, features never name tokens.
_CONTENT = ("schemas.contracts.facts", "schemas.contracts.records")
_LINKING = (
    "schemas.contracts.records",
    "schemas.contracts.subject.Subject",
    "schemas.contracts.subject.LinkageVariables",
    "schemas.contracts.subject.TOKEN_COLUMNS",
    "schemas.contracts.subject.FILTER_COLUMNS",
)


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("services/matcher", _CONTENT),
        ("services/resolver", _CONTENT),
        ("services/features", _LINKING),
        ("services/query", _LINKING),
        ("linkage/features", _LINKING),
        ("linkage/cohorts", _LINKING),
        ("linkage/disclosure", _LINKING),
    ],
)
def test_the_separation_principle_shows_in_imports(room: str, forbidden: tuple[str, ...]) -> None:
    for path in modules(room):
        named = set(imports(ast.parse(path.read_text("utf-8"))))
        assert not named & set(forbidden), path.relative_to(ROOT)


@pytest.mark.parametrize("room", ROOMS)
def test_names_say_what_a_module_is_for(room: str) -> None:
    vague = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}
    for path in modules(room):
        assert not {part.removesuffix(".py") for part in path.relative_to(ROOT).parts} & vague, path


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_outgrows_a_reader(room: str) -> None:
    for path in modules(room):
        if "pb" not in path.relative_to(ROOT).parts:
            assert len(path.read_text("utf-8").splitlines()) <= 500, path.relative_to(ROOT)


def test_wheels_hold_every_package_and_no_other() -> None:
    include = PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert include == [f"{room}*" for room in ROOMS]
