"""Linking files imports nothing that it does not need: a small link would take longer to import than to do."""

from __future__ import annotations

import subprocess
import sys

UNWANTED = {"deltalake", "grpc", "pandas", "recordlinkage", "scipy"}


def test_linking_files_imports_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys\n"
        "from services.cli.app import build\n"
        "build()\n"
        "import services.link, services.cli.model\n"
        "from linkage.subjects import Subjects\n"
        "columns = {'subject_ref': ['a', 'b'], 'version': [1, 1], 'token_forename': [b'x' * 16, None]}\n"
        "import polars as pl\n"
        "batch = pl.DataFrame(columns).to_arrow().to_batches()[0]\n"
        "Subjects.from_batch(batch, 'a.b', True)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert UNWANTED.isdisjoint(done.stdout.split())
