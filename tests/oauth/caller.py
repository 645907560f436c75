"""Requests to a qfpay-mcp as they are on the wire, for what no client would send."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SECONDS = 20

LEGACY, MODERN = "2025-11-25", "2026-07-28"
BOTH = "application/json, text/event-stream"
INFO = {"name": "caller", "version": "1.0.0"}


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    text: str

    def message(self) -> dict[str, Any]:
        """The JSON-RPC message in it, which may be an event."""
        if "text/event-stream" not in self.headers.get("content-type", ""):
            return json.loads(self.text)
        data = [line[5:].strip() for line in self.text.splitlines() if line.startswith("data:")]
        return json.loads([it for it in data if it][-1])

    def challenge(self) -> dict[str, str]:
        """The parameters of `WWW-Authenticate: Bearer`; none where it is not there."""
        line = self.headers.get("www-authenticate", "")
        scheme, _, rest = line.partition(" ")
        if scheme.lower() != "bearer":
            return {}
        pairs = (part.strip().partition("=") for part in rest.split(","))
        return {name: value.strip('"') for name, _, value in pairs}


def send(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Reply:
    """One request on a connection of its own. A stream that was opened is not read: it would not end."""
    connection, response = _begin(method, url, headers, body)
    try:
        stays_open = method == "GET" and "text/event-stream" in response.headers.get("content-type", "")
        return Reply(response.status, response.headers, "" if stays_open else response.read().decode())
    finally:
        connection.close()


def _begin(
    method: str, url: str, headers: dict[str, str], body: bytes | None
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=SECONDS)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request(method, path, body=body, headers=headers)
    return connection, connection.getresponse()


class Caller:
    """One bearer of a token, or of none, at the server under `base`."""

    def __init__(self, base: str, token: str | None = None) -> None:
        self.base = base
        self.bearer = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.session: str | None = None

    def post(self, message: Any, path: str = "/mcp", headers: dict[str, str] | None = None) -> Reply:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        sent = {"Content-Type": "application/json", "Accept": BOTH} | self._own() | (headers or {})
        return send("POST", self.base + path, sent, body)

    def get(self, path: str = "/mcp", headers: dict[str, str] | None = None) -> Reply:
        return send("GET", self.base + path, {"Accept": "text/event-stream"} | self._own() | (headers or {}))

    def delete(self, path: str = "/mcp") -> Reply:
        return send("DELETE", self.base + path, self._own())

    def _own(self) -> dict[str, str]:
        if self.session is None:
            return self.bearer
        return self.bearer | {"Mcp-Session-Id": self.session, "MCP-Protocol-Version": LEGACY}

    def open(self) -> Reply:
        """Opens a session (2025-11-25), in which everything after it is sent."""
        reply = self.post(INITIALIZE)
        self.session = reply.headers.get("mcp-session-id")
        if reply.status == 200:
            self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return reply

    def ask(
        self, method: str, params: dict[str, Any] | None = None, changed: dict[str, str] | None = None
    ) -> Reply:
        """One request of 2026-07-28, which needs no session; headers `changed` as they may be."""
        meta = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": INFO,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
        if params and "name" in params:
            headers["Mcp-Name"] = params["name"]
        return self.post(request(method, (params or {}) | {"_meta": meta}), headers=headers | (changed or {}))

    def call(self, tool: str, arguments: dict[str, Any]) -> Reply:
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def tools(self) -> list[str]:
        return [tool["name"] for tool in self.ask("tools/list").message()["result"]["tools"]]

    def events(self, path: str) -> "Events":
        """A stream that stays open."""
        return Events(*_begin("GET", self.base + path, {"Accept": "text/event-stream"} | self.bearer, None))


class Events:
    """An SSE session, until it is closed."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self.connection = connection
        self.response = response
        self.status = response.status

    def data(self) -> str:
        """The data of the next event."""
        while line := self.response.readline().decode():
            if line.startswith("data:"):
                return line[5:].strip()
        raise RuntimeError("the stream ended")

    def close(self) -> None:
        self.response.close()
        self.connection.close()


def request(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


INITIALIZE = request("initialize", {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": INFO})
