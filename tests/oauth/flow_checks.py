"""The whole way to a token, as real clients go it by themselves: refused, they find the authorization server by
the 401, register, have a person consent (authorization code, PKCE, resource indicator), and pay."""

import asyncio
import http.cookiejar
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import mcp
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from authority import READ
from checks import only, want
from server import environment
from token_checks import SETTLE_SECONDS, Check, World, terms
from wire import CALL_SECONDS
from wire_sdk import SdkWire
from wire_typescript import bridged

CALLBACK = "http://127.0.0.1:1/callback"
"""Nobody listens there: the browser stops short of it."""
REDIRECTS_MOST = 10

Connect = Callable[[World, str | None], AbstractAsyncContextManager[Any]]
"""Connects a client that has a token already, or none."""


def typescript(line: str, transport: str, mode: str) -> Connect:
    def connect(world: World, token: str | None) -> AbstractAsyncContextManager[Any]:
        path = {"http": "mcp", "sse": "sse"}[transport]
        settings = {
            "line": line, "mode": mode, "transport": transport, "canAsk": False, "timeout": CALL_SECONDS * 1000,
            "url": f"{world.base}/{path}", "signIn": {"token": token},
        }
        return bridged(settings, environment(world.desk, world.rules), world.desk, None)
    return connect


def python(transport: str, mode: str) -> Connect:
    @asynccontextmanager
    async def connect(world: World, token: str | None) -> AsyncIterator[SdkWire]:
        browser = Browser()
        path = {"http": "mcp", "sse": "sse"}[transport]
        metadata = OAuthClientMetadata(
            client_name="A client of the tests", redirect_uris=[CALLBACK], token_endpoint_auth_method="none",
        )
        url = f"{world.base}/{path}"
        auth = OAuthClientProvider(url, metadata, Storage(token), browser.visit, browser.brought_back)
        async with asyncio.timeout(CALL_SECONDS * 2), _streams(transport, url, auth) as streams:
            async with mcp.Client(_opened(streams), mode=mode, cache=None) as client:
                yield SdkWire(client, client.protocol_version, [])
    return connect


@asynccontextmanager
async def _streams(transport: str, url: str, auth: OAuthClientProvider) -> AsyncIterator[Any]:
    if transport == "sse":
        async with sse_client(url, auth=auth) as streams:
            yield streams
    else:
        async with (
            httpx2.AsyncClient(auth=auth, timeout=CALL_SECONDS) as client,
            streamable_http_client(url, http_client=client) as streams,
        ):
            yield streams


@asynccontextmanager
async def _opened(streams: Any) -> AsyncIterator[Any]:
    yield streams


class Storage:
    """What the SDK keeps between requests."""

    def __init__(self, token: str | None) -> None:
        self.tokens = OAuthToken(access_token=token, scope=READ) if token else None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Browser:
    """The person's browser, which the authorization server sends back at once."""

    def __init__(self) -> None:
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar, _Stay())
        self.at = ""

    async def visit(self, url: str) -> None:
        self.at = url
        for _ in range(REDIRECTS_MOST):
            if self.at.startswith(CALLBACK):
                return
            self.at = urljoin(self.at, await asyncio.to_thread(self._next))
        raise RuntimeError(f"still at {self.at} after {REDIRECTS_MOST} redirects")

    def _next(self) -> str:
        try:
            with self.opener.open(self.at, timeout=CALL_SECONDS) as page:
                raise RuntimeError(f"{self.at} shows a page: {page.read(300)!r}")
        except urllib.error.HTTPError as answer:
            if "location" not in answer.headers:
                raise RuntimeError(f"{self.at} answered {answer.code}: {answer.read(300)!r}") from answer
            return answer.headers["location"]

    async def brought_back(self) -> AuthorizationCodeResult:
        query = parse_qs(urlsplit(self.at).query)
        want("code" in query, f"no code came back: {query}")
        first = {name: query.get(name, [None])[0] for name in ("code", "state", "iss")}
        return AuthorizationCodeResult(**first)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def pays(connect: Connect, number: str) -> Check:
    """A check that a client without a token gets one and pays."""
    async def check(world: World) -> None:
        async with connect(world, None) as wire:
            listed = [tool["name"] for tool in await wire.list_tools()]
            want("create_payment" in listed and "refund" in listed, f"listed are {listed}")
            await pay(wire, number)
        who = {row.get("principal") for row in world.audit() if number in str(row)}
        want("oauth:ada" in str(who), f"the audit says it was {who}")
    return check


def asks_for_more(connect: Connect, number: str) -> Check:
    """A check that a client whose token only reads asks for more once that is not enough."""
    async def check(world: World) -> None:
        # Of the same person, whose session it is: another's would not be found.
        token = world.authority.mint(world.authority.good_claims(world.resource, sub="ada", scope=READ))
        async with connect(world, token) as wire:
            listed = [tool["name"] for tool in await wire.list_tools()]
            want("create_payment" not in listed, f"listed are {listed}")
            await pay(wire, number)
    return check


async def pay(wire: Any, number: str) -> None:
    answer = await wire.call("create_payment", terms(number))
    want(not answer.is_error, f"refused: {answer.text}")
    want(answer.data["status"] == "pending", f"status is {answer.data}")
    async with asyncio.timeout(SETTLE_SECONDS):
        while True:
            found = await wire.call("query_transaction", {"out_trade_no": number})
            want(not found.is_error, f"refused: {found.text}")
            if only(found.data["orders"])["status"] == "paid":
                return
            await asyncio.sleep(0.3)


FLOW_CHECKS: list[tuple[str, Check]] = [
    ("TypeScript 1.x over http", pays(typescript("1", "http", "legacy"), "F-TS1-HTTP")),
    ("TypeScript 1.x over sse", pays(typescript("1", "sse", "legacy"), "F-TS1-SSE")),
    ("TypeScript 2.x over http", pays(typescript("2", "http", "auto"), "F-TS2-HTTP")),
    ("TypeScript 2.x over sse", pays(typescript("2", "sse", "auto"), "F-TS2-SSE")),
    ("TypeScript 2.x as 1.x over http", pays(typescript("2", "http", "legacy"), "F-TS2-OLD")),
    ("Python 2.x over http", pays(python("http", "auto"), "F-PY2-HTTP")),
    ("Python 2.x over sse", pays(python("sse", "auto"), "F-PY2-SSE")),
    ("Python 2.x as 1.x over http", pays(python("http", "legacy"), "F-PY2-OLD")),
    ("TypeScript 1.x over http asks for more", asks_for_more(typescript("1", "http", "legacy"), "M-TS1")),
    ("TypeScript 2.x over http asks for more", asks_for_more(typescript("2", "http", "auto"), "M-TS2")),
    ("Python 2.x over http asks for more", asks_for_more(python("http", "auto"), "M-PY2")),
]
