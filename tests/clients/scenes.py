"""The servers that a client is driven against, and what is checked with each."""

from dataclasses import dataclass, field

from checks import CHECKS, SESSION_CHECKS, Check, Desk, want
from consent import (
    ASKED_CHECKS, ASKS, HURRIED_CHECKS, HURRIES, READING_CHECKS, READS, ROUND_CHECKS, UNASKED_CHECKS,
    UNLISTED_CHECKS,
)


@dataclass
class Scene:
    """One server and one client of it."""

    name: str
    checks: list[tuple[str, Check]]
    rules: dict[str, str] = field(default_factory=dict)
    """What the server is told besides."""
    can_ask: bool = False
    """Whether the client tells the server that it can ask a person."""


def scenes(client: str, transport: str, mode: str) -> list[Scene]:
    """All that concern this client; they know nothing of each other, and may be played at the same time."""
    if client == "inspector":
        # It has nobody to ask, and calls no tool that is not listed.
        return [
            Scene("free", CHECKS + INSPECTOR_CHECKS),
            Scene("unasked", UNASKED_CHECKS, ASKS),
            Scene("reading", READING_CHECKS, READS),
        ]
    # Over SSE they need not agree on the protocol that has rounds, but do.
    rounds = ROUND_CHECKS if mode == "auto" else []
    played = [
        Scene("free", CHECKS + SESSION_CHECKS),
        Scene("asked", ASKED_CHECKS + rounds, ASKS, can_ask=True),
        Scene("unasked", UNASKED_CHECKS, ASKS),
        Scene("reading", READING_CHECKS + UNLISTED_CHECKS, READS),
    ]
    if transport == "stdio":
        played.append(Scene("hurried", HURRIED_CHECKS, HURRIES, can_ask=True))
    return played


def protocols(transport: str, mode: str) -> tuple[str, ...]:
    """What client and server may agree on. SSE is of 2024: a server may keep the newest protocol off it."""
    if mode == "legacy":
        return ("2025-11-25",)
    return ("2026-07-28", "2025-11-25") if transport == "sse" else ("2026-07-28",)


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
