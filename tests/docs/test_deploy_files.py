"""Files that deployments start from: each setting, role, command and metric that they name exists, and schemas hold."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from schemas.topics import INTERNAL
from services.admin.layout import PRINCIPALS, every_topic, rights_of
from services.bootstrap import ROLES
from services.cli.app import build
from services.generation.commands import commands
from services.metrics.catalogue import BY_NAME, METRICS, Kind
from services.registry.sql.rights import RIGHTS
from services.settings import PREFIX, Settings, read_settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose" / "compose.yaml"
KUBERNETES = sorted(path for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml")
ALERTS = DEPLOY / "monitoring" / "alerts.yml"
DASHBOARD = DEPLOY / "monitoring" / "dashboard.json"
RUNBOOK = DEPLOY / "RUNBOOK.md"
NAME = re.compile(r"\bhwlink_[a-z_]+")


def documents(path: Path) -> list[Any]:
    return [document for document in yaml.safe_load_all(path.read_text("utf-8")) if document is not None]


def services() -> dict[str, Any]:
    found: dict[str, Any] = documents(COMPOSE)[0]["services"]
    return found


def containers() -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """Yield the name, the words after `hwlink`, and the environment of every container of hwlink's image."""
    for name, service in services().items():
        if service["image"].startswith("hwlink:"):
            yield f"compose {name}", service["command"], service["environment"]
    for path in KUBERNETES:
        for document in documents(path):
            pod = document.get("spec", {}).get("template", {}).get("spec", {})
            for container in pod.get("containers", []):
                environ = {variable["name"]: variable["value"] for variable in container["env"]}
                yield f"{path.name} {container['name']}", container["args"], environ


CONTAINERS = list(containers())


@pytest.mark.parametrize(("words", "environ"), [c[1:] for c in CONTAINERS], ids=[c[0] for c in CONTAINERS])
def test_every_container_runs_a_command_that_there_is_with_settings_that_hold(
    words: list[str], environ: dict[str, str]
) -> None:
    named = {path.removeprefix("hwlink ") for _, path in commands(get_command(build()))}
    assert words == ["--help"] or " ".join(words[:2]) in named or words[0] in named
    if words[0] == "serve":
        assert words[1] in ROLES
    assert {
        name.removeprefix(PREFIX).lower() for name in environ if name.startswith(PREFIX)
    } <= Settings.model_fields.keys()
    read_settings({name: str(value) for name, value in environ.items()})


def test_every_role_runs_in_each_kind_of_deployment() -> None:
    for kind in ("compose", "yaml"):
        served = {words[1] for name, words, _ in CONTAINERS if kind in name and words[0] == "serve"}
        assert served == set(ROLES)


def test_a_role_knows_the_bus_and_the_registry_that_it_uses_and_is_itself_there() -> None:
    principals = {right.principal.removeprefix(PRINCIPALS) for right in rights_of(every_topic())}
    for name, words, environ in CONTAINERS:
        if words[0] != "serve":
            continue
        role = words[1]
        assert ("HWLINK_BUS_URL" in environ) == (role in principals), name
        assert ("HWLINK_REGISTRY_URL" in environ) == (role in RIGHTS), name
        if "HWLINK_REGISTRY_URL" in environ:
            assert f"//hwlink-{role}@" in environ["HWLINK_REGISTRY_URL"]
            assert "sslmode=verify-full" in environ["HWLINK_REGISTRY_URL"]
            assert ":" not in environ["HWLINK_REGISTRY_URL"].partition("//")[2].partition("@")[0]  # no password
        if "HWLINK_BUS_URL" in environ:
            assert "HWLINK_KAFKA_SECURITY_PATH" in environ, name


def test_a_role_mounts_only_the_zones_that_it_may_see() -> None:
    """The separation of linkage from content, held by the machine that runs the containers."""
    writers = {"linkage": {"landing"}, "content": {"landing"}, "products": {"features"}}
    readers = {
        "linkage": {"ingest", "landing", "matcher", "review"},
        "content": {"landing", "features", "review"},
        "products": {"features", "query"},
    }
    found: dict[str, dict[str, bool]] = {}
    for name, service in services().items():
        if service.get("command", [""])[0] == "serve":
            found[name] = {v.split(":")[0]: v.endswith(":ro") for v in service.get("volumes", [])}
    _assert_zones(found, readers, writers)
    found = {}
    for path in KUBERNETES:
        for document in documents(path):
            for container in document.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
                if container["args"][0] == "serve":
                    found[container["name"]] = {m["name"]: m.get("readOnly", False) for m in container["volumeMounts"]}
    _assert_zones(found, readers, writers)


def _assert_zones(
    found: dict[str, dict[str, bool]], readers: dict[str, set[str]], writers: dict[str, set[str]]
) -> None:
    for zone, roles in readers.items():
        assert {role for role, mounts in found.items() if zone in mounts} == roles, zone
        assert {role for role, mounts in found.items() if mounts.get(zone) is False} == writers[zone], zone


def test_nothing_runs_as_root_or_with_more_than_it_needs() -> None:
    for path in KUBERNETES:
        for document in documents(path):
            pod = document.get("spec", {}).get("template", {}).get("spec")
            if pod is None:
                continue
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["automountServiceAccountToken"] is False
            for container in [*pod["containers"], *pod["initContainers"]]:
                assert container["securityContext"]["readOnlyRootFilesystem"] is True
                assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
                assert container["resources"]["limits"]["memory"]
    for service in services().values():
        if service["image"].startswith("hwlink:"):
            assert service["cap_drop"] == ["ALL"]
            assert service["read_only"] is True
        assert "ports" not in service  # gRPC has no TLS yet: nothing is published


def test_images_are_pinned_and_the_image_of_hwlink_is_built_from_the_lock_for_a_plain_user() -> None:
    for service in services().values():
        assert re.fullmatch(r"[a-z/]+:v?\d[\w.-]*", service["image"])
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    for base in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE):
        assert re.search(r":\d+\.\d+\.\d+", base)
    assert "--require-hashes -r requirements.lock" in dockerfile
    assert re.search(r"^USER 10001", dockerfile, re.MULTILINE)
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", dockerfile)) <= {PREFIX + n.upper() for n in Settings.model_fields}


def test_secrets_come_from_files_and_every_one_is_made_by_the_script() -> None:
    script = (DEPLOY / "compose" / "certificates.sh").read_text("utf-8")
    made = re.search(r"for role in ([a-z ]+); do", script)
    assert made is not None
    declared = documents(COMPOSE)[0]["secrets"]
    used = {secret for service in services().values() for secret in service.get("secrets", [])}
    assert used == set(declared)
    for name, secret in declared.items():
        assert secret == {"file": f"./secrets/{name}"}
        assert name == "ca.pem" or name.rpartition(".")[0] in made.group(1).split()


@pytest.mark.slow
def test_schemas_hold() -> None:
    tools = Path(sys.executable).parent
    for command in (
        [tools / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE],
        [tools / "kubernetes-validate", "--strict", *KUBERNETES],
    ):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def expressions() -> list[str]:
    rules = [rule for group in documents(ALERTS)[0]["groups"] for rule in group["rules"]]
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [rule["expr"] for rule in rules] + [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.parametrize("expression", expressions())
def test_every_metric_and_label_of_an_expression_exists(expression: str) -> None:
    shown = set(BY_NAME) | {
        f"{m.name}_{part}" for m in METRICS if m.kind is Kind.HISTOGRAM for part in ("bucket", "count", "sum")
    }
    bare = {m.name for m in METRICS if m.kind is Kind.HISTOGRAM}
    names = set(NAME.findall(expression))
    assert names <= shown - bare
    labels = {label for name in names for label in _labels(name)} | {"le", "job", "instance", "role_of_process"}
    for by in re.findall(r"\bby \(([^)]*)\)", expression):
        assert {label.strip() for label in by.split(",")} <= labels
    for label in re.findall(r"[{,]\s*([a-z_]+)\s*[=!]", expression):
        assert label in labels
    assert expression.count("(") == expression.count(")")


def _labels(name: str) -> tuple[str, ...]:
    return BY_NAME[re.sub("_(bucket|count|sum)$", "", name) if name not in BY_NAME else name].labels


def test_every_alert_leads_to_a_part_of_the_runbook() -> None:
    headings = set(re.findall(r"^#+ (.+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE))
    for group in documents(ALERTS)[0]["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["runbook"] in headings, rule["alert"]
            assert rule["labels"]["severity"] in {"page", "ticket"}


def test_prometheus_scrapes_what_compose_shows() -> None:
    targets = {
        (config["labels"]["role_of_process"], target)
        for job in documents(DEPLOY / "monitoring" / "prometheus.yml")[0]["scrape_configs"]
        for config in job["static_configs"]
        for target in config["targets"]
    }
    shown = {
        (words[1], environ["HWLINK_METRICS_ADDRESS"])
        for name, words, environ in CONTAINERS
        if name.startswith("compose") and words[0] == "serve"
    }
    assert targets == shown


def runbook_commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", RUNBOOK.read_text("utf-8"), re.DOTALL)
    inline = re.findall(r"`(hwlink [^`]+)`", RUNBOOK.read_text("utf-8"))
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in [*lines, *inline] if line.startswith("hwlink ")]


@pytest.mark.parametrize("line", sorted(set(runbook_commands())))
def test_every_command_of_the_runbook_is_understood(line: str) -> None:
    words = shlex.split(line)[1:]
    root: Any = get_command(build())
    command, context = root, root.make_context("hwlink", [], resilient_parsing=True)
    while getattr(command, "commands", None):
        assert words, line
        command = command.commands[words.pop(0)]
        context = command.make_context(command.name, [], parent=context, resilient_parsing=True)
    command.parse_args(context, words)


def test_topics_that_the_runbook_names_exist() -> None:
    named = set(re.findall(r"hwlink\.[a-z]+\.v\d", RUNBOOK.read_text("utf-8")))
    assert named <= {topic.name for topic in INTERNAL}
