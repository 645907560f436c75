"""What every client looks like to the checks: it lists tools and calls them."""

from dataclasses import dataclass
from typing import Any, Protocol

CALL_SECONDS = 30
"""How long one request may take before the check fails."""


@dataclass
class Answer:
    """A tool's result as the client hands it on."""

    is_error: bool
    text: str
    """All text blocks, one after the other."""
    data: dict[str, Any] | None
    """`structuredContent`; None where the result has none."""
    pictures: list[dict[str, Any]]
    """The blocks that are pictures, as they came."""

    @classmethod
    def of(cls, result: dict[str, Any]) -> "Answer":
        """Reads a result in its JSON form."""
        blocks = result.get("content") or []
        text = "\n".join(block["text"] for block in blocks if block["type"] == "text")
        pictures = [block for block in blocks if block["type"] == "image"]
        return cls(bool(result.get("isError")), text, result.get("structuredContent"), pictures)


class Wire(Protocol):
    """One client on one transport."""

    stray: list[str]
    """What reached the client unasked."""
    protocol: str
    """The protocol version that was agreed on; empty where the client does not tell."""

    async def list_tools(self) -> list[dict[str, Any]]: ...

    async def call(self, tool: str, arguments: dict[str, Any]) -> Answer: ...

    async def list_resources(self) -> list[dict[str, Any]]: ...

    async def read(self, uri: str) -> dict[str, Any]:
        """The one part of what a resource holds."""
        ...

    async def prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        """The one message of a prompt."""
        ...
