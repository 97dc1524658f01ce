"""Test examples/mock-exchange: Dockerfile, compose file, action and scenario.

No image is built here. What an image does is checked by rules for the Dockerfile, and by its
command line, run as another user and ended by SIGTERM.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from binance_usdm import Client
from binance_usdm.mock import Exchange
from binance_usdm.mock.server.process import PORT
from tests.docs.pages import read_blocks
from tests.support.command_line import COMMAND
from tests.support.paths import ROOT
from tests.support.spec_facts import TIME_PATH

FOLDER: Final = ROOT / "examples" / "mock-exchange"
DOCKERFILE: Final = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
SECRET: Final = "fake-secret-of-the-desk"
IMAGE: Final = "mock-exchange"
NOT_ROOT: Final = 65532


def load_yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


# -- the Dockerfile


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Return the instructions with their arguments."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.MULTILINE).replace("\\\n", " ")
    words = [line.strip().partition(" ")[::2] for line in text.splitlines() if line.strip()]
    return [(name.upper(), arguments.strip()) for name, arguments in words]


def lint(dockerfile: str) -> Iterator[str]:
    """Yield what is wrong with a Dockerfile, in the words of hadolint's rules."""
    found = instructions(dockerfile)
    names = [name for name, _ in found]
    by_name = dict(found)
    if names[:1] != ["FROM"]:
        yield "begin with FROM"
    if not re.fullmatch(r"[\w./-]+:[0-9][\w.-]*", by_name.get("FROM", "")):
        yield "tag the version of the base image"
    if "ADD" in names:
        yield "use COPY instead of ADD"
    if "MAINTAINER" in names:
        yield "MAINTAINER is deprecated"
    if by_name.get("USER", "0").partition(":")[0] in ("0", "root"):
        yield "the last USER must not be root"
    elif not by_name["USER"].isdigit():
        yield "USER must be a number"
    elif any(name == "RUN" for name in names[names.index("USER") :]):
        yield "install before USER"
    for name, arguments in found:
        if name == "RUN" and "pip install" in arguments and "--no-cache-dir" not in arguments:
            yield "use pip install --no-cache-dir"
        if name == "RUN" and re.search(r"\bsudo\b|\bcurl\b.*\|", arguments):
            yield "no sudo and no pipe from the network"
        if name in ("ENV", "ARG") and re.search(r"SECRET|TOKEN|PASSWORD|_KEY", arguments.upper()):
            yield "no secret in ENV or ARG"
        if name in ("CMD", "ENTRYPOINT") and not is_exec_form(arguments):
            yield f"use the exec form of {name}, so that signals reach the program"
        if name == "HEALTHCHECK" and not is_exec_form(arguments.partition("CMD ")[2]):
            yield "use the exec form of HEALTHCHECK, since an image may have no shell"
    for name in ("ENTRYPOINT", "HEALTHCHECK"):
        if names.count(name) != 1:
            yield f"exactly one {name}"


def is_exec_form(arguments: str) -> bool:
    try:
        words = json.loads(arguments)
    except ValueError:
        return False
    return isinstance(words, list) and all(isinstance(word, str) for word in words)


def test_the_dockerfile_is_clean_and_short() -> None:
    """No rule complains, and it has about ten instructions."""
    assert [*lint(DOCKERFILE)] == []
    assert len(instructions(DOCKERFILE)) <= 10


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("python:3.13-slim", "python", "tag the version of the base image"),
        ("python:3.13-slim", "python:latest", "tag the version of the base image"),
        ("COPY", "ADD", "use COPY instead of ADD"),
        ("USER 65532", "USER root", "the last USER must not be root"),
        ("USER 65532\n", "", "the last USER must not be root"),
        ("USER 65532", "USER mock", "USER must be a number"),
        ("EXPOSE", "RUN pip install --no-cache-dir x\nEXPOSE", "install before USER"),
        (" --no-cache-dir", "", "use pip install --no-cache-dir"),
        ("EXPOSE", "ENV API_SECRET=x\nEXPOSE", "no secret in ENV or ARG"),
        ('["binance-usdm", "mock", "serve", "--host", "0.0.0.0"]', "binance-usdm mock serve",
         "use the exec form of ENTRYPOINT, so that signals reach the program"),
        ("HEALTHCHECK", "# HEALTHCHECK", "exactly one HEALTHCHECK"),
    ],
)  # fmt: skip
def test_each_rule_can_fail(old: str, new: str, said: str) -> None:
    """A rule that never complains would say nothing about the Dockerfile."""
    assert old in DOCKERFILE
    assert said in [*lint(DOCKERFILE.replace(old, new))]


def test_the_image_agrees_with_the_command() -> None:
    """Port, health check and signal are those of `mock serve`."""
    found = dict(instructions(DOCKERFILE))
    assert found["EXPOSE"] == str(PORT)
    assert f"http://127.0.0.1:{PORT}{TIME_PATH}" in found["HEALTHCHECK"]
    assert found["STOPSIGNAL"] == "SIGTERM"


@pytest.mark.parametrize("title", ["test_container.py", "container.test.mjs"])
def test_the_testcontainers_programs_fit_the_image(title: str, tmp_path: Path) -> None:
    """They can be parsed, and name the image's port, its health check and an option of the command."""
    page = (ROOT / "docs" / "en" / "how-to" / "mock-scenarios.md").read_text(encoding="utf-8")
    [program] = [block.code for block in read_blocks(page) if block.title == title]
    assert f"docker build -t {IMAGE} " in page
    assert f'("{IMAGE}")' in program
    assert '["--seed", "/desk.toml"]' in program
    assert {*re.findall(r"\b[0-9]{4}\b", program)} == {str(PORT)}
    assert f'"{TIME_PATH}"' in program
    if title.endswith(".py"):
        compile(program, title, "exec")
    elif shutil.which("node"):
        path = tmp_path / title
        path.write_text(program, encoding="utf-8")
        subprocess.run(["node", "--check", str(path)], check=True)


def test_the_package_can_be_built_from_what_is_copied(tmp_path: Path) -> None:
    """The context is what .dockerignore lets through, and a wheel can be built from it."""
    lines = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    copied = [line.removeprefix("!") for line in rules if line.startswith("!")]
    for name in copied:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, tmp_path)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "dist").iterdir()
    names = zipfile.ZipFile(wheel).namelist()
    assert "binance_usdm/mock/scenario/scenario.schema.json" in names


def other_user() -> dict[str, Any]:
    """Return options for a process that is not root, if this one is."""
    if os.geteuid() != 0:
        return {}
    return {"user": NOT_ROOT, "group": NOT_ROOT, "extra_groups": ()}


def find_interpreter(options: Mapping[str, Any]) -> str:
    """Return a Python of this version that the other user can run."""
    print_version = "import sys; print(sys.version_info[:2])"
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            done = subprocess.run(
                [python, "-c", print_version], cwd="/", capture_output=True, text=True, check=False,
                **options,
            )  # fmt: skip
        except OSError:
            continue
        if done.stdout == f"{sys.version_info[:2]}\n":
            return python
    pytest.skip("no Python of this version that another user can run")


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM and users of POSIX")
def test_the_command_line_runs_as_another_user_and_ends_by_sigterm() -> None:
    """It needs no home, no writable folder and no shell; SIGTERM ends it with 0."""
    options = other_user()
    python = find_interpreter(options)
    packages = [ROOT, ROOT / "generated_client", sysconfig.get_path("purelib")]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, packages)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/nonexistent",
    }
    found = dict(instructions(DOCKERFILE))
    entry_point: list[str] = json.loads(found["ENTRYPOINT"])
    assert entry_point[0] == "binance-usdm"
    server = subprocess.Popen(
        [python, "-m", "binance_usdm", *entry_point[1:], "--port", "0"],
        cwd="/",
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        assert server.stderr is not None
        first = server.stderr.readline()
        port = re.fullmatch(r"mock exchange on http://0\.0\.0\.0:([0-9]+) .*\n", first)
        assert port is not None, first + server.stderr.read()
        if options:
            assert Path(f"/proc/{server.pid}").stat().st_uid == NOT_ROOT
        # The command of the health check itself, as the other user.
        check: list[str] = json.loads(found["HEALTHCHECK"].partition("CMD ")[2])
        command = [python, *(word.replace(str(PORT), port[1]) for word in check[1:])]
        health = subprocess.run(command, cwd="/", env=environment, check=False, **options)
        assert health.returncode == 0
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        unhealthy = subprocess.run(
            command, cwd="/", env=environment, capture_output=True, check=False, **options
        )
        assert unhealthy.returncode == 1
    finally:
        server.kill()
        server.communicate()


# -- the compose file and the scenario


def test_the_compose_file_fits_together() -> None:
    """Paths exist, the program waits for the health check, and its credentials are those served."""
    services = load_yaml(FOLDER / "compose.yaml")["services"]
    mock, app = services["mock"], services["app"]
    for service in (mock, app):
        context = (FOLDER / service["build"]["context"]).resolve()
        assert context == ROOT
        assert (context / service["build"]["dockerfile"]).samefile(FOLDER / "Dockerfile")
    (source, target, mode) = mock["volumes"][0].split(":")
    assert (FOLDER / source).is_file()
    assert (mock["command"], mode) == (["--seed", target], "ro")
    assert mock["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    assert app["depends_on"] == {"mock": {"condition": "service_healthy"}}
    assert app["environment"]["BINANCE_BASE_URL"] == f"http://mock:{PORT}"
    assert app["environment"]["BINANCE_API_SECRET"] == mock["environment"]["DESK_SECRET"]


def test_the_variables_of_the_compose_file_name_the_mock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that takes them sends plain http to the other container."""
    services = load_yaml(FOLDER / "compose.yaml")["services"]
    for name, value in services["app"]["environment"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DESK_SECRET", SECRET)
    exchange = Exchange(scenario=FOLDER / "scenario.toml")
    with Client.from_env(transport=exchange.transport) as client:
        assert client.balance()
        assert repr(client) == "Client(base_url='http://mock:8787')"


def test_the_program_of_the_compose_file_reads_its_balances() -> None:
    """Both services as processes: the balances move as the scenario says, then a gateway."""
    services = load_yaml(FOLDER / "compose.yaml")["services"]
    with serve_scenario(services["mock"]["environment"]) as url:
        environment = {**services["app"]["environment"], "BINANCE_BASE_URL": url}
        command = [*COMMAND, *services["app"]["entrypoint"][1:], "--csv"]
        seen = []
        for _ in range(3):
            done = subprocess.run(
                command, env={**clean_environment(), **environment}, capture_output=True, text=True,
                check=True,
            )  # fmt: skip
            seen.append([row.split(",")[2] for row in done.stdout.splitlines()[1:]])
    assert seen == [["1000.00000000", "0.50000000"]] * 2 + [["640.25000000"]]


def clean_environment() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("BINANCE_")}


@contextmanager
def serve_scenario(environment: Mapping[str, str]) -> Iterator[str]:
    """Serve the scenario in a process, and yield its base URL."""
    command = [*COMMAND, "mock", "serve", "--port", "0"]
    with subprocess.Popen(
        [*command, "--seed", str(FOLDER / "scenario.toml")],
        env={**clean_environment(), **environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stderr is not None
            yield server.stderr.readline().split()[3]
        finally:
            server.kill()


def test_the_scenario_is_what_its_comments_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute later the account is empty, and the fifth request meets a gateway."""
    monkeypatch.setenv("DESK_SECRET", SECRET)
    exchange = Exchange(scenario=FOLDER / "scenario.toml")
    statuses = [exchange.handle("GET", TIME_PATH.encode(), ()).status for _ in range(6)]
    assert statuses == [200, 200, 200, 200, 502, 200]
    exchange.clock.advance(60_000)
    (reply,) = exchange.save_scenario()["accounts"][0]["replies"][:1]
    assert reply == {"operation": "balance", "value": []}


# -- the action

ACTION: Final = load_yaml(FOLDER / "action.yml")
TOOLS: Final = all(map(shutil.which, ("bash", "curl", "sed", "grep", "nohup")))


def test_the_action_has_what_github_asks_for() -> None:
    """A composite action: every step has its shell, and no input is written into a script."""
    assert ACTION["runs"]["using"] == "composite"
    assert ACTION["name"]
    assert ACTION["description"]
    for step in ACTION["runs"]["steps"]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
        used = {
            name for text in step["env"].values() for name in re.findall(r"inputs\.(\w+)", text)
        }
        assert used == {*ACTION["inputs"]}
    assert ACTION["inputs"]["port"]["default"] == str(PORT)


class Runner:
    """Runs the action's steps as a runner of GitHub does, with a `uvx` that runs this tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        fake = folder / "bin" / "uvx"
        fake.parent.mkdir()
        fake.write_text(
            '#!/bin/sh\necho $$ >"$RUNNER_TEMP/pid"\necho "$2" >"$RUNNER_TEMP/package"\nshift 3\n'
            f'exec {shlex.join(COMMAND)} "$@"\n'
        )
        fake.chmod(0o755)

    def run(self, **inputs: str) -> subprocess.CompletedProcess[str]:
        (step,) = ACTION["runs"]["steps"]
        values = {name: entry["default"] for name, entry in ACTION["inputs"].items()} | inputs
        environment = {
            name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda match: values[match[1]], text)
            for name, text in step["env"].items()
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env={
                **clean_environment(),
                **environment,
                "DESK_SECRET": SECRET,
                "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "RUNNER_TEMP": str(self.folder),
                "GITHUB_ENV": str(self.folder / "env"),
                "GITHUB_OUTPUT": str(self.folder / "output"),
            },
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def read(self, name: str) -> dict[str, str]:
        lines = (self.folder / name).read_text().splitlines()
        return dict(line.partition("=")[::2] for line in lines)

    def stop(self) -> None:
        pid = self.folder / "pid"
        if pid.exists():
            try:
                os.kill(int(pid.read_text()), signal.SIGTERM)
            except ProcessLookupError:
                return


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    runner = Runner(tmp_path)
    yield runner
    runner.stop()


@pytest.fixture
def port() -> str:
    """Return a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


@pytest.mark.skipif(not TOOLS, reason="bash and curl are on every runner")
def test_the_steps_of_the_action_serve_the_scenario(runner: Runner, port: str) -> None:
    """The next step has the URL and the key in its environment; the server outlives the step."""
    seed = str(FOLDER / "scenario.toml")
    done = runner.run(seed=seed, port=port, package="binance-usdm[mock]==1.2.3")
    assert done.returncode == 0, done.stderr
    assert (runner.folder / "package").read_text() == "binance-usdm[mock]==1.2.3\n"
    url = f"http://127.0.0.1:{port}"
    assert runner.read("output") == {"url": url}
    exported = runner.read("env")
    assert exported == {"BINANCE_BASE_URL": url, "BINANCE_API_KEY": "fake-key-of-the-desk"}
    environment = {**clean_environment(), **exported, "BINANCE_API_SECRET": SECRET}
    read = subprocess.run(
        [*COMMAND, "balance"], env=environment, capture_output=True, text=True, check=False
    )
    assert (read.returncode, "1000.00000000" in read.stdout) == (0, True), read.stderr
    with urllib.request.urlopen(f"{url}/__admin/scenario") as reply:
        assert SECRET not in reply.read().decode()


@pytest.mark.skipif(not TOOLS, reason="bash and curl are on every runner")
def test_the_action_without_a_scenario_exports_the_default_secret(
    runner: Runner, port: str
) -> None:
    """A job without any setting can read the example account."""
    done = runner.run(port=port)
    assert done.returncode == 0, done.stderr
    assert runner.read("env").keys() == {
        "BINANCE_API_KEY", "BINANCE_API_SECRET", "BINANCE_BASE_URL",
    }  # fmt: skip


@pytest.mark.skipif(not TOOLS, reason="bash and curl are on every runner")
def test_a_wrong_scenario_fails_the_step(runner: Runner, port: str) -> None:
    """With the place in the log, at once, and without an environment for later steps."""
    wrong = runner.folder / "wrong.toml"
    wrong.write_text("[clok]")
    started = time.monotonic()
    done = runner.run(seed=str(wrong), port=port)
    assert done.returncode == 1
    assert "did you mean clock?" in done.stderr
    assert not (runner.folder / "env").exists()
    assert time.monotonic() - started < 25, "it did not wait for the whole time"


@pytest.mark.skipif(not TOOLS, reason="bash and curl are on every runner")
def test_an_input_is_never_run(runner: Runner, port: str) -> None:
    """Whatever an input has, it is one argument."""
    hostile = '"; touch ran; $(touch ran) `touch ran` #'
    assert runner.run(seed=hostile, port=port).returncode == 1
    assert not (runner.folder / "ran").exists()
