"""Runs every check with one client over one transport and prints one line a check.

drive.py BINARY sdk|inspector LABEL stdio|http|sse MODE

Run by `run.sh`, in the environment that has the client. Exits 1 when a check failed.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from checks import CHECKS, SESSION_CHECKS, Check, Desk, want

DRIVE_SECONDS = 400
"""How long all checks may take together; `run.sh` kills a driver that does not keep to it."""

STDERR_LINES = 15
"""How much of the server's stderr is shown after a failure."""


async def strict_schemas(desk: Desk) -> None:
    """The inspector's own eye for schemas that some client cannot read; it fails by itself."""
    await desk.wire.run("--method", "tools/list", "--strict")


async def typed_by_hand(desk: Desk) -> None:
    words = {"amount": "8200", "currency": "HKD", "pay_type": "800201"}
    created = desk.accept("create_payment", await desk.wire.call_by_flags("create_payment", words))
    want(created["amount"] == 8200 and created["status"] == "pending", f"got {created}")


async def newest_protocol_first(desk: Desk) -> None:
    listed = await desk.wire.run("--protocol-era", "auto", "--method", "tools/list")
    want(len(listed["tools"]) == len(desk.tools), f"{len(listed['tools'])} tools, not {len(desk.tools)}")


INSPECTOR_CHECKS: list[tuple[str, Check]] = [
    ("list tools, strict about schemas", strict_schemas),
    ("list tools, newest protocol first", newest_protocol_first),
    ("create, arguments as flags", typed_by_hand),
]


async def drive(binary: str, client: str, label: str, transport: str, mode: str, desk: Path) -> int:
    """Runs the checks and gives the number that failed."""
    if client == "sdk":
        from wire_sdk import connect
        checks = CHECKS + SESSION_CHECKS
    else:
        from wire_inspector import connect
        checks = CHECKS + INSPECTOR_CHECKS
    left = [name for name, _ in checks]
    failed = 0
    try:
        async with asyncio.timeout(DRIVE_SECONDS), connect(binary, transport, mode, desk) as wire:
            session = Desk(wire, f"{client}-{transport}-{mode}", protocols(transport, mode))
            for name, check in checks:
                started = time.monotonic()
                problem = await outcome(check, session)
                left.remove(name)
                failed += problem is not None
                tell(label, transport, name, problem, time.monotonic() - started)
    except Exception as error:
        for name in left or ["disconnect"]:
            tell(label, transport, name, f"not reached: {reason(error)}", 0)
            failed += 1
    return failed


def protocols(transport: str, mode: str) -> tuple[str, ...]:
    """What client and server may agree on. SSE is of 2024: a server may keep the newest protocol off it."""
    if mode == "legacy":
        return ("2025-11-25",)
    return ("2026-07-28", "2025-11-25") if transport == "sse" else ("2026-07-28",)


async def outcome(check: Check, session: Desk) -> str | None:
    """None when the check holds, else why not."""
    try:
        await check(session)
    except Exception as error:
        return reason(error)
    return None


def reason(error: BaseException) -> str:
    """One line, also for the groups that the SDK wraps its errors in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = " ".join(str(error).split())[:600]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def tell(label: str, transport: str, name: str, problem: str | None, seconds: float) -> None:
    if problem is None:
        slow = f"  ({seconds:.0f} s)" if seconds >= 10 else ""
        print(f"ok    {label}  {transport}  {name}{slow}", flush=True)
    else:
        print(f"FAIL  {label}  {transport}  {name}: {problem}", flush=True)


def main() -> int:
    binary, client, label, transport, mode = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="qfpay-clients-") as folder:
        desk = Path(folder)
        failed = asyncio.run(drive(binary, client, label, transport, mode, desk))
        stderr = desk / "stderr"
        if failed and stderr.exists():
            for line in stderr.read_text(errors="replace").splitlines()[-STDERR_LINES:]:
                print(f"      {label}  {transport}  stderr: {line}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
