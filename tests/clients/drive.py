"""Plays every scene with one client over one transport and prints one line a check.

drive.py BINARY sdk|typescript|inspector LABEL stdio|http|sse MODE

Run by `run.sh`, in the environment that has the client. Exits 3 when a check failed.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from checks import Desk
from person import Person
from report import CHECKS_FAILED, outcome, reason, tell, tell_stderr
from scenes import Scene, protocols, scenes

DRIVE_SECONDS = 400
"""How long all checks may take together; `run.sh` kills a driver that does not keep to it."""


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


def main() -> int:
    binary, client, label, transport, mode = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="qfpay-clients-") as folder:
        failed = asyncio.run(drive(binary, client, label, transport, mode, Path(folder)))
    return CHECKS_FAILED if failed else 0


if __name__ == "__main__":
    sys.exit(main())
