"""The official Python SDK as a wire, its 1.x and its 2.x line: whichever this interpreter has."""

import importlib.metadata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import mcp
import mcp.types
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from pydantic import AnyUrl

from person import Person
from server import environment, serving
from wire import CALL_SECONDS, Answer

VERSION = importlib.metadata.version("mcp")
IS_FIRST = VERSION.startswith("1.")


class SdkWire:
    """A session of the SDK. The SDK itself holds each result against its `outputSchema`."""

    def __init__(self, client: Any, protocol: str, stray: list[str]) -> None:
        self.client = client
        self.protocol = protocol
        self.stray = stray

    async def list_tools(self) -> list[dict[str, Any]]:
        with anyio.fail_after(CALL_SECONDS):
            listed = await self.client.list_tools()
        return [_json(tool) for tool in listed.tools]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Answer:
        with anyio.fail_after(CALL_SECONDS):
            return Answer.of(_json(await self.client.call_tool(tool, arguments)))

    async def list_resources(self) -> list[dict[str, Any]]:
        with anyio.fail_after(CALL_SECONDS):
            listed = await self.client.list_resources()
        return [_json(resource) for resource in listed.resources]

    async def read(self, uri: str) -> dict[str, Any]:
        with anyio.fail_after(CALL_SECONDS):
            read = await self.client.read_resource(AnyUrl(uri) if IS_FIRST else uri)
        (part,) = read.contents
        return _json(part)

    async def prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        with anyio.fail_after(CALL_SECONDS):
            said = await self.client.get_prompt(name, arguments)
        (message,) = said.messages
        return _json(message)

    async def round(
        self, tool: str, arguments: dict[str, Any],
        answers: dict[str, dict[str, Any]] | None = None, state: str | None = None,
    ) -> dict[str, Any]:
        """One round of a call, which the SDK would go through by itself. The 2.x line has it, for 2026-07-28."""
        given = answers and {name: mcp.types.ElicitResult(**answer) for name, answer in answers.items()}
        with anyio.fail_after(CALL_SECONDS):
            return _json(await self.client.session.call_tool(
                tool, arguments, input_responses=given, request_state=state, allow_input_required=True,
            ))


@asynccontextmanager
async def connect(
    binary: str, transport: str, mode: str, desk: Path, rules: dict[str, str], person: Person | None
) -> AsyncIterator[SdkWire]:
    """Starts the server in the way `transport` needs and shakes hands with it.

    `mode` is of the 2.x line: `auto` asks `server/discover` first, `legacy` starts with `initialize`.
    Without a person the client tells the server that it cannot ask.
    """
    stray: list[str] = []

    async def note(message: Any) -> None:
        if isinstance(message, Exception):
            stray.append(f"{type(message).__name__}: {message}")
        else:
            stray.append(type(getattr(message, "root", message)).__name__)

    async def ask(_: Any, question: Any) -> mcp.types.ElicitResult:
        return mcp.types.ElicitResult(**await person.answer(_json(question)))

    asking = {"message_handler": note, "elicitation_callback": ask if person else None}
    async with _streams(binary, transport, desk, rules) as streams:
        if IS_FIRST:
            async with mcp.ClientSession(streams[0], streams[1], **asking) as session:
                with anyio.fail_after(CALL_SECONDS):
                    agreed = await session.initialize()
                yield SdkWire(session, str(agreed.protocolVersion), stray)
        else:
            # `Client` enters a transport by itself, so it gets one that is open already.
            async with mcp.Client(_opened(streams), mode=mode, cache=None, **asking) as client:
                yield SdkWire(client, client.protocol_version, stray)


@asynccontextmanager
async def _streams(binary: str, transport: str, desk: Path, rules: dict[str, str]) -> AsyncIterator[Any]:
    if transport == "stdio":
        with open(desk / "stderr", "a") as stderr:
            server = StdioServerParameters(command=binary, env=environment(desk, rules))
            async with stdio_client(server, errlog=stderr) as streams:
                yield streams
    else:
        open_client, path = (streamable_http_client, "mcp") if transport == "http" else (sse_client, "sse")
        with serving(binary, desk, rules) as url:
            async with open_client(f"{url}/{path}") as streams:
                yield streams


@asynccontextmanager
async def _opened(streams: Any) -> AsyncIterator[Any]:
    yield streams


def _json(model: Any) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True)
