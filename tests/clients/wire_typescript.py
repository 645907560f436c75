"""The official TypeScript SDK as a wire, its 1.x and its 2.x line: a Node program that keeps the session, and
speaks JSON lines."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from person import Person
from server import environment, serving
from wire import CALL_SECONDS, Answer

LINE_BYTES = 16 * 1024 * 1024
"""The longest line that the program may say: the list of tools is one."""


class TypescriptWire:
    """A session of the SDK. The SDK itself holds each result against its `outputSchema`."""

    def __init__(self, process: asyncio.subprocess.Process, person: Person | None) -> None:
        self.process = process
        self.person = person
        self.protocol = ""
        self.stray: list[str] = []
        self._ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0

    async def list_tools(self) -> list[dict[str, Any]]:
        return await self._do("list")

    async def call(self, tool: str, arguments: dict[str, Any]) -> Answer:
        return Answer.of(await self._do("call", params={"name": tool, "arguments": arguments}))

    async def list_resources(self) -> list[dict[str, Any]]:
        return await self._do("resources")

    async def read(self, uri: str) -> dict[str, Any]:
        (part,) = await self._do("read", params={"uri": uri})
        return part

    async def prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        (message,) = await self._do("prompt", params={"name": name, "arguments": arguments})
        return message

    async def round(
        self, tool: str, arguments: dict[str, Any],
        answers: dict[str, dict[str, Any]] | None = None, state: str | None = None,
    ) -> dict[str, Any]:
        """One round of a call, which the SDK would go through by itself. The 2.x line has it, for 2026-07-28."""
        params = {"name": tool, "arguments": arguments}
        if answers is not None:
            params["inputResponses"] = answers
        if state is not None:
            params["requestState"] = state
        return await self._do("round", params=params)

    async def ready(self) -> None:
        """Waits until client and server have shaken hands."""
        self.protocol = await asyncio.wait_for(self._ready, CALL_SECONDS)

    async def listen(self) -> None:
        """Takes what the program says, until it ends."""
        async with asyncio.TaskGroup() as questions:
            async for line in self.process.stdout:
                said = json.loads(line)
                if "ask" in said:
                    questions.create_task(self._ask(said["ask"], said["question"]))
                elif "stray" in said:
                    self.stray.append(said["stray"])
                elif "ready" in said:
                    self._ready.set_result(said["ready"])
                elif "failed" in said:
                    self._ready.set_exception(RuntimeError(said["failed"]))
                else:
                    self._settle(said)
        gone = RuntimeError("the client ended by itself")
        for future in (self._ready, *self._waiting.values()):
            if not future.done():
                future.set_exception(gone)

    async def _do(self, what: str, **said: Any) -> Any:
        self._last_id += 1
        number = self._last_id
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self._say({"id": number, "do": what} | said)
        try:
            return await asyncio.wait_for(self._waiting[number], CALL_SECONDS)
        finally:
            del self._waiting[number]

    def _settle(self, said: dict[str, Any]) -> None:
        future = self._waiting.get(said["id"])
        if future is None or future.done():
            return
        if "error" in said:
            future.set_exception(RuntimeError(said["error"]))
        else:
            future.set_result(said["result"])

    async def _ask(self, number: int, question: dict[str, Any]) -> None:
        self._say({"ask": number, "answer": await self.person.answer(question)})

    def _say(self, message: dict[str, Any]) -> None:
        self.process.stdin.write(json.dumps(message).encode() + b"\n")


@asynccontextmanager
async def connect(
    binary: str, transport: str, mode: str, desk: Path, rules: dict[str, str], person: Person | None
) -> AsyncIterator[TypescriptWire]:
    """Starts the server in the way `transport` needs and shakes hands with it.

    `mode` is of the 2.x line: `auto` asks `server/discover` first, `legacy` starts with `initialize`.
    Without a person the client tells the server that it cannot ask.
    """
    settings = {
        "line": os.environ["CLIENTS_TYPESCRIPT_LINE"], "mode": mode, "transport": transport,
        "canAsk": person is not None, "timeout": CALL_SECONDS * 1000,
    }
    if transport == "stdio":
        settings |= {"command": binary, "stderr": str(desk / "stderr")}
        async with bridged(settings, environment(desk, rules), desk, person) as wire:
            yield wire
    else:
        path = {"http": "mcp", "sse": "sse"}[transport]
        with serving(binary, desk, rules) as url:
            settings["url"] = f"{url}/{path}"
            async with bridged(settings, environment(desk, rules), desk, person) as wire:
                yield wire


@asynccontextmanager
async def bridged(
    settings: dict[str, Any], environment: dict[str, str], desk: Path, person: Person | None
) -> AsyncIterator[TypescriptWire]:
    """Runs the Node program with `settings`, and waits until it is connected."""
    bridge = Path(os.environ["CLIENTS_TYPESCRIPT"]) / "bridge.mjs"
    with open(desk / "stderr", "a") as stderr:
        process = await asyncio.create_subprocess_exec(
            os.environ["CLIENTS_NODE"], str(bridge), json.dumps(settings), env=environment, limit=LINE_BYTES,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=stderr,
        )
    wire = TypescriptWire(process, person)
    listening = asyncio.create_task(wire.listen())
    try:
        await wire.ready()
        yield wire
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), CALL_SECONDS)
        except TimeoutError:
            process.kill()
        await listening
