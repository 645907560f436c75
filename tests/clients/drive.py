"""Plays every scene with one client over one transport and prints one line a check.

drive.py BINARY sdk|typescript|inspector LABEL stdio|http|sse MODE

Run by `run.sh`, in the environment that has the client. Exits 1 when a check failed.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from checks import Check, Desk
from person import Person
from scenes import Scene, protocols, scenes

DRIVE_SECONDS = 400
"""How long all checks may take together; `run.sh` kills a driver that does not keep to it."""

STDERR_LINES = 15
"""How much of the server's stderr is shown after a failure."""


async def drive(binary: str, client: str, label: str, transport: str, mode: str, home: Path) -> int:
    """Plays all scenes at the same time, for the sake of those that wait, and gives the number of checks
    that failed."""
    failed = await asyncio.gather(*(
        play(scene, binary, client, label, transport, mode, home / scene.name)
        for scene in scenes(client, transport, mode)
    ))
    return sum(failed)


async def play(
    scene: Scene, binary: str, client: str, label: str, transport: str, mode: str, desk: Path
) -> int:
    """Runs the checks of a scene and gives the number that failed."""
    if client == "sdk":
        from wire_sdk import connect
    elif client == "typescript":
        from wire_typescript import connect
    else:
        from wire_inspector import connect
    desk.mkdir()
    where = f"{label}  {transport}  {scene.name}"
    left = [name for name, _ in scene.checks]
    failed = 0
    person = Person()
    try:
        able = person if scene.can_ask else None
        async with (
            asyncio.timeout(DRIVE_SECONDS),
            connect(binary, transport, mode, desk, scene.rules, able) as wire,
        ):
            session = Desk(wire, person, f"{client}-{transport}-{mode}", protocols(transport, mode))
            for name, check in scene.checks:
                started = time.monotonic()
                problem = await outcome(check, session)
                left.remove(name)
                failed += problem is not None
                tell(where, name, problem, time.monotonic() - started)
    except Exception as error:
        for name in left or ["disconnect"]:
            tell(where, name, f"not reached: {reason(error)}", 0)
            failed += 1
    if failed:
        tell_stderr(where, desk / "stderr")
    return failed


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


def tell(where: str, name: str, problem: str | None, seconds: float) -> None:
    if problem is None:
        slow = f"  ({seconds:.0f} s)" if seconds >= 10 else ""
        say(f"ok    {where}  {name}{slow}")
    else:
        say(f"FAIL  {where}  {name}: {problem}")


def tell_stderr(where: str, stderr: Path) -> None:
    if stderr.exists():
        for line in stderr.read_text(errors="replace").splitlines()[-STDERR_LINES:]:
            say(f"      {where}  stderr: {line}")


def say(line: str) -> None:
    """In one piece with its end, which `print` does not promise: other drivers write to the same pipe, and a
    line behind another one would not be counted."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    binary, client, label, transport, mode = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="qfpay-clients-") as folder:
        failed = asyncio.run(drive(binary, client, label, transport, mode, Path(folder)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
