"""Tells what came of each check, one line a check."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

CHECKS_FAILED = 3
"""What a driver leaves with after it told of each check. Not 1, which Python leaves with by itself."""

STDERR_LINES = 15
"""How much of the server's stderr is shown after a failure."""


async def outcome(check: Callable[[Any], Awaitable[None]], about: Any) -> str | None:
    """None when the check holds, else why not."""
    try:
        await check(about)
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
