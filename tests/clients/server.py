"""A qfpay-mcp under test: its environment, and the process that serves HTTP. Knows no MCP."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY_SECONDS = 20
"""How long a server may take until `/healthz` answers 200, on a busy machine."""


def environment(desk: Path, rules: dict[str, str]) -> dict[str, str]:
    """The caller's environment without its own QFPay settings, pointed at a desk of its own.

    `HOME` moves too: the inspector keeps files there.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QFPAY_")}
    return kept | settings(desk, rules) | {"HOME": str(desk), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def settings(desk: Path, rules: dict[str, str]) -> dict[str, str]:
    """What the server is told: the simulator, a state directory, no pace, a payer who pays soon, and `rules`."""
    return {
        "QFPAY_ENV": "simulator",
        "QFPAY_STATE_DIR": str(desk / "state"),
        "QFPAY_PACE": "off",
        "QFPAY_SIMULATOR_PAYER_SECONDS": "1",
    } | rules


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def serving(binary: str, desk: Path, rules: dict[str, str], address: str | None = None) -> Iterator[str]:
    """Runs `qfpay-mcp http` and gives its base URL once it is healthy; ends it afterwards."""
    address = address or free_address()
    with open(desk / "stderr", "a") as stderr:
        process = subprocess.Popen(
            [binary, "http", "--bind", address],
            env=environment(desk, rules), stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
        )
        try:
            _wait_until_healthy(process, f"http://{address}/healthz")
            yield f"http://{address}"
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_healthy(process: subprocess.Popen, url: str) -> None:
    no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server stopped by itself with code {process.returncode}")
        try:
            with no_proxy.open(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer 200 within {READY_SECONDS} s")
