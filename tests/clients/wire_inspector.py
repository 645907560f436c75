"""The MCP inspector's command line as a wire: one process a request, and over stdio one server too."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from person import Person
from server import environment, serving, settings
from wire import CALL_SECONDS, Answer

TOOL_ERROR = 5
"""The inspector's exit code for a result with `isError`: the result is printed all the same."""


class InspectorWire:
    """Where the server is, in the inspector's words."""

    def __init__(self, command: list[str], target: list[str], environment: dict[str, str]) -> None:
        self.command = command
        self.target = target
        self.environment = environment
        self.stray: list[str] = []
        self.protocol = ""

    async def list_tools(self) -> list[dict[str, Any]]:
        return (await self.run("--method", "tools/list"))["tools"]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Answer:
        as_json = ["--tool-args-json", json.dumps(arguments)]
        return await self._call(tool, as_json)

    async def call_by_flags(self, tool: str, arguments: dict[str, str]) -> Answer:
        """As a person types it, `--tool-arg name=value`.

        The inspector reads each value as JSON where it can, whatever the schema says: `pay_type=800201`
        and `query=1145` arrive as numbers.
        """
        return await self._call(tool, [word for pair in arguments.items() for word in ("--tool-arg", "=".join(pair))])

    async def list_resources(self) -> list[dict[str, Any]]:
        return (await self.run("--method", "resources/list"))["resources"]

    async def read(self, uri: str) -> dict[str, Any]:
        (part,) = (await self.run("--method", "resources/read", "--uri", uri))["contents"]
        return part

    async def prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        words = [word for pair in arguments.items() for word in ("--prompt-args", "=".join(pair))]
        said = await self.run("--method", "prompts/get", "--prompt-name", name, *words)
        (message,) = said["messages"]
        return message

    async def _call(self, tool: str, arguments: list[str]) -> Answer:
        return Answer.of(await self.run("--method", "tools/call", "--tool-name", tool, *arguments))

    async def run(self, *words: str) -> dict[str, Any]:
        """Runs the inspector once and gives the result it printed."""
        process = await asyncio.create_subprocess_exec(
            *self.command, "--cli", *self.target, *words, "--format", "json",
            env=self.environment, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), CALL_SECONDS)
        except TimeoutError:
            process.kill()
            raise
        said = err.decode(errors="replace").strip()
        if process.returncode not in (0, TOOL_ERROR):
            raise RuntimeError(f"the inspector left with {process.returncode}: {said}")
        try:
            return json.loads(out)["result"]
        except (ValueError, KeyError) as error:
            raise RuntimeError(f"the inspector printed no result: {out[:300]!r} {said}") from error


@asynccontextmanager
async def connect(
    binary: str, transport: str, mode: str, desk: Path, rules: dict[str, str], person: Person | None
) -> AsyncIterator[InspectorWire]:
    """Starts the server where the transport is HTTP. `mode` is the inspector's protocol era.

    On its command line the inspector cannot ask, and says so to the server.
    """
    assert person is None
    launcher = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
    command = [os.environ["CLIENTS_NODE"], str(Path(os.environ["CLIENTS_INSPECTOR"]) / launcher)]
    era = ["--protocol-era", mode]
    if transport == "stdio":
        flags = [word for pair in settings(desk, rules).items() for word in ("-e", "=".join(pair))]
        yield InspectorWire(command, [binary, *flags, *era], environment(desk, rules))
    else:
        path = {"http": "mcp", "sse": "sse"}[transport]
        with serving(binary, desk, rules) as url:
            target = ["--transport", transport, "--server-url", f"{url}/{path}", *era]
            yield InspectorWire(command, target, environment(desk, rules))
