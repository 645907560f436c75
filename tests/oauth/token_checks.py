"""Which tokens are taken, and for what. A check is a function with a sentence for a name, as in `tests/clients`."""

import asyncio
import itertools
import json
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authority import ALL, PAY, READ, REFUND, Authority
from caller import INITIALIZE, Caller, Reply, request
from checks import only, want
from server import environment

READERS = ["explain_respcd", "list_pay_types", "query_transaction", "reconcile", "wait_for_payment"]
PAYERS = ["cancel_payment", "create_payment"]
METADATA = "/.well-known/oauth-protected-resource"
LIST_TOOLS = request("tools/list", {})
SETTLE_SECONDS = 20
REFRESH_SECONDS = 15
"""How long new keys may take to be fetched: the server asks no faster than every few seconds."""


_numbers = itertools.count(1)
"""No two checks share an order."""


@dataclass
class World:
    """A server, and the authorization server that it trusts."""

    binary: str
    desk: Path
    rules: dict[str, str]
    base: str
    authority: Authority
    old_token: str = ""

    @property
    def resource(self) -> str:
        return f"{self.base}/mcp"

    def caller(self, scope: str = ALL, client: str = "till") -> Caller:
        return Caller(self.base, self.authority.token(client, scope, self.resource))

    def bearing(self, claims: dict[str, Any], **header: str) -> Caller:
        """Somebody with a token with these claims, changed from good ones, however it is signed."""
        return Caller(self.base, self.authority.mint(self.authority.good_claims(self.resource, **claims), **header))

    def audit(self) -> list[dict[str, Any]]:
        said = subprocess.run(
            [self.binary, "audit", "--json"], env=environment(self.desk, self.rules), text=True,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=SETTLE_SECONDS, check=True,
        )
        return json.loads(said.stdout)


def terms(number: str) -> dict[str, Any]:
    return {"amount": 1200, "currency": "HKD", "pay_type": "800201", "out_trade_no": number}


def result(reply: Reply) -> dict[str, Any]:
    want(reply.status == 200, f"answered {reply.status}: {reply.text[:300]}")
    message = reply.message()
    want("result" in message, f"got {message}")
    want(not message["result"].get("isError"), f"refused: {message['result'].get('content')}")
    return message["result"]


def unauthorized(reply: Reply, error: str | None, what: str = "it") -> None:
    """A 401 that says how to get a token, and names `error` where a token was given."""
    want(reply.status == 401, f"{what} got {reply.status}: {reply.text[:200]}")
    challenge = reply.challenge()
    want(challenge.get("resource_metadata", "").startswith("http"), f"{what}: no resource_metadata: {challenge}")
    want(READ in challenge.get("scope", "").split(), f"{what}: the scope is {challenge.get('scope')}")
    want(challenge.get("error") == error, f"{what}: the error is {challenge.get('error')}, not {error}")


def forbidden(reply: Reply, *scopes: str) -> None:
    """A 403 that names what it takes."""
    want(reply.status == 403, f"got {reply.status}: {reply.text[:300]}")
    challenge = reply.challenge()
    want(challenge.get("error") == "insufficient_scope", f"the challenge is {challenge}")
    missing = set(scopes) - set(challenge.get("scope", "").split())
    want(not missing, f"{missing} is not named: {challenge}")
    want(challenge.get("resource_metadata", "").startswith("http"), f"no resource_metadata: {challenge}")


def nothing_exists(world: World, number: str) -> None:
    reply = result(world.caller().call("query_transaction", {"out_trade_no": number}))
    want(reply["structuredContent"]["orders"] == [], f"there is {reply['structuredContent']}")


# Without a token.

async def told_how_to_get_one(world: World) -> None:
    unauthorized(Caller(world.base).post(LIST_TOOLS), None)


async def on_every_route(world: World) -> None:
    nobody = Caller(world.base)
    for what, reply in {
        "GET /mcp": nobody.get(), "DELETE /mcp": nobody.delete(), "GET /sse": nobody.get("/sse"),
        "POST /messages": nobody.post(LIST_TOOLS, "/messages?sessionId=1"),
    }.items():
        unauthorized(reply, None, what)


async def metrics_are_not_open(world: World) -> None:
    want(Caller(world.base).get("/metrics").status == 401, "anybody may read the figures")


async def health_is_open(world: World) -> None:
    for path in ("/healthz", "/readyz"):
        reply = Caller(world.base).get(path)
        want(reply.status == 200, f"{path} answered {reply.status}")


async def the_resource_is_described(world: World) -> None:
    for path in ("", "/mcp"):
        reply = Caller(world.base).get(METADATA + path, {"Accept": "application/json"})
        want(reply.status == 200, f"{path} answered {reply.status}")
        want("application/json" in reply.headers["content-type"], f"it is {reply.headers['content-type']}")
        told = reply.message()
        want(told["resource"] == world.resource, f"the resource is {told['resource']}")
        want(told["authorization_servers"] == [world.authority.issuer], f"they are {told['authorization_servers']}")
        want(told["scopes_supported"] == ALL.split(), f"they are {told['scopes_supported']}")
        want(told["bearer_methods_supported"] == ["header"], f"they are {told['bearer_methods_supported']}")


async def a_challenge_is_about_what_was_called(world: World) -> None:
    """RFC 9728 §3.3: clients throw a description away that is about another address than they called."""
    for path in ("/mcp", "/sse"):
        at = Caller(world.base).get(path).challenge()["resource_metadata"]
        want(at.startswith(world.base), f"it is at {at}")
        told = Caller(world.base).get(at.removeprefix(world.base), {"Accept": "application/json"}).message()
        want(told["resource"] == world.base + path, f"{path} is told of {told['resource']}")


# With one.

async def rs256_is_taken(world: World) -> None:
    result(world.caller().ask("tools/list"))


async def es256_is_taken(world: World) -> None:
    result(world.caller(client="till-es256").ask("tools/list"))


async def one_audience_of_several_is_enough(world: World) -> None:
    result(world.bearing({"aud": ["https://elsewhere.example", world.resource]}).ask("tools/list"))


async def scopes_as_a_list_are_read(world: World) -> None:
    want("refund" in world.bearing({"scope": None, "scp": [READ, REFUND]}).tools(), "scp is not read")


async def nearly_over_is_not_over(world: World) -> None:
    result(world.bearing({"exp": int(time.time()) + 5}).ask("tools/list"))


def refused(claims: Callable[[World], dict[str, Any]], **header: str) -> Callable[[World], Awaitable[None]]:
    """A check that such a token is not taken, in either protocol era, nor told back."""
    number = f"O-REFUSED-{next(_numbers)}"

    async def check(world: World) -> None:
        bearer = world.bearing(claims(world), **header)
        token = bearer.bearer["Authorization"].removeprefix("Bearer ")
        for reply in (bearer.call("create_payment", terms(number)), bearer.open(), bearer.get("/sse")):
            unauthorized(reply, "invalid_token")
            want(token not in reply.text, "the token is told back")
        nothing_exists(world, number)
    return check


def in_seconds(seconds: int) -> int:
    return int(time.time()) + seconds


async def in_the_query_is_refused(world: World) -> None:
    token = world.caller().bearer["Authorization"].removeprefix("Bearer ")
    nobody = Caller(world.base)
    for name in ("access_token", "token", "authorization"):
        unauthorized(nobody.post(LIST_TOOLS, f"/mcp?{name}={token}"), None, f"POST /mcp?{name}")
        unauthorized(nobody.get(f"/sse?{name}={token}"), None, f"GET /sse?{name}")


async def another_scheme_is_refused(world: World) -> None:
    token = world.caller().bearer["Authorization"].removeprefix("Bearer ")
    for line in (f"Basic {token}", f"Token {token}", token, "Bearer", "Bearer ", f"Bearer {token} {token}"):
        reply = Caller(world.base).post(LIST_TOOLS, headers={"Authorization": line})
        want(reply.status == 401, f"{line[:9]}… got {reply.status}: {reply.text[:200]}")


async def what_is_no_jwt_is_refused(world: World) -> None:
    for token in ("x", "a.b.c", "..", "qfmcp_" + "A" * 43, "A" * 20_000):
        reply = Caller(world.base, token).post(LIST_TOOLS)
        want(reply.status in (401, 431), f"{token[:9]}… got {reply.status}: {reply.text[:200]}")


async def changed_claims_are_refused(world: World) -> None:
    """The payload of one token under the signature of another."""
    weak, strong = (world.caller(scope).bearer["Authorization"].split(".") for scope in (READ, ALL))
    forged = ".".join((weak[0], strong[1], weak[2])).removeprefix("Bearer ")
    unauthorized(Caller(world.base, forged).ask("tools/list"), "invalid_token")


# Scopes.

async def reader_sees_what_reads(world: World) -> None:
    listed = sorted(world.caller(READ).tools())
    want(listed == READERS, f"listed are {listed}")


async def payer_sees_what_pays(world: World) -> None:
    listed = sorted(world.caller(PAY).tools())
    want(listed == PAYERS, f"listed are {listed}")


async def reader_is_told_what_paying_takes(world: World) -> None:
    forbidden(world.caller(READ).call("create_payment", terms("O-READER")), PAY, READ)
    nothing_exists(world, "O-READER")


async def reader_is_told_within_a_session(world: World) -> None:
    reader = world.caller(READ)
    reader.open()
    call = request("tools/call", {"name": "create_payment", "arguments": terms("O-SESSION")})
    forbidden(reader.post(call), PAY)
    nothing_exists(world, "O-SESSION")


async def payer_is_told_what_refunding_takes(world: World) -> None:
    forbidden(world.caller(f"{READ} {PAY}").call("refund", {"out_trade_no": "O-1"}), REFUND)


async def payer_may_not_read(world: World) -> None:
    forbidden(world.caller(PAY).call("query_transaction", {"out_trade_no": "O-1"}), READ)


async def without_a_scope_nothing_works(world: World) -> None:
    nobody = world.bearing({"scope": None})
    reply = nobody.ask("tools/list")
    if reply.status == 200:
        want(nobody.tools() == [], f"listed are {nobody.tools()}")
    else:
        forbidden(reply)
    forbidden(nobody.call("list_pay_types", {}), READ)


async def scopes_that_look_alike_are_none(world: World) -> None:
    for scope in ("QFPAY:PAY", "qfpay:pay:x", "qfpay:*", "qfpay", "pay", "qfpay:read,qfpay:pay"):
        reply = world.bearing({"scope": scope}).call("create_payment", terms("O-ALIKE"))
        forbidden(reply, PAY)


async def a_message_with_two_minds_pays_nothing(world: World) -> None:
    """What decides over the scope and what carries the call out must read the same tool."""
    reader = world.caller(READ)
    reader.open()
    pay = '"name":"create_payment","arguments":' + json.dumps(terms("O-TWO"))
    look = '"name":"list_pay_types"'
    spelt = pay.replace("a", "\\u0061")
    call, ping = '"method":"tools/call"', '"method":"ping"'
    for rest in (
        f'{call},"params":{{{look},{pay}}}',
        f'{call},"params":{{{pay},{look}}}',
        f'{call},"params":{{{look}}},"params":{{{pay}}}',
        f'{call},"params":{{{pay}}},"params":{{{look}}}',
        f'{ping},{call},"params":{{{pay}}}',
        f'{call},{ping},"params":{{{pay}}}',
        f'{call},"params":{{{spelt}}}',
        f'{call},"params":[{{{pay}}}]',
    ):
        for body in (f'{{"jsonrpc":"2.0","id":1,{rest}}}', f'[{{"jsonrpc":"2.0","id":1,{rest}}}]'):
            reply = reader.post(body.encode(), headers={"Mcp-Name": "list_pay_types", "Mcp-Method": "tools/call"})
            want('"syssn"' not in reply.text, f"it was paid: {body[:120]} {reply.text[:200]}")
    nothing_exists(world, "O-TWO")


async def a_header_that_lies_pays_nothing(world: World) -> None:
    reader = world.caller(READ)
    params = {"name": "create_payment", "arguments": terms("O-LIE")}
    reply = reader.ask("tools/call", params, {"Mcp-Name": "list_pay_types"})
    want(reply.status in (400, 403), f"got {reply.status}: {reply.text[:200]}")
    nothing_exists(world, "O-LIE")


async def pays_and_refunds(world: World) -> None:
    created = result(world.caller(PAY).call("create_payment", terms("O-PAID")))["structuredContent"]
    want(created["status"] == "pending", f"status is {created['status']}")
    reader = world.caller(READ)
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        reply = result(reader.call("query_transaction", {"out_trade_no": "O-PAID"}))
        order = only(reply["structuredContent"]["orders"])
        if order["status"] == "paid":
            break
        want(time.monotonic() < deadline, f"still {order['status']}")
        await asyncio.sleep(0.3)
    given = {"out_trade_no": "O-PAID", "amount": 500, "refund_no": "O-PAID-R"}
    refund = result(world.caller(REFUND).call("refund", given))["structuredContent"]
    want(refund["status"] in ("refunded", "pending"), f"status is {refund['status']}")


async def the_audit_names_who_it_was(world: World) -> None:
    rows = [row for row in world.audit() if "O-PAID" in json.dumps(row)]
    want(bool(rows), "the audit does not know the order")
    want("oauth:till" in json.dumps(rows), f"the audit says {rows[:2]}")


async def the_audit_holds_no_token(world: World) -> None:
    text = json.dumps(world.audit()) + (world.desk / "stderr").read_text(errors="replace")
    # As every JWT begins.
    want("eyJ" not in text, f"a token stands there: …{text[text.find('eyJ') - 80:][:100]}")


# Sessions.

async def a_session_is_its_openers(world: World) -> None:
    mine, other = world.caller(), world.caller(client="till-2")
    mine.open()
    want(mine.session is not None, "no session was opened")
    other.session = mine.session
    for what, reply in {"POST": other.post(LIST_TOOLS), "GET": other.get(), "DELETE": other.delete()}.items():
        want(reply.status == 404, f"{what} got {reply.status}: {reply.text[:200]}")
    result(mine.post(LIST_TOOLS))


async def a_session_outlives_a_token(world: World) -> None:
    mine = world.caller()
    mine.open()
    mine.bearer = world.caller().bearer
    result(mine.post(LIST_TOOLS))


async def a_session_does_not_lend_its_scopes(world: World) -> None:
    mine = world.caller()
    mine.open()
    mine.bearer = world.caller(READ).bearer
    call = request("tools/call", {"name": "create_payment", "arguments": terms("O-LENT")})
    forbidden(mine.post(call), PAY)
    nothing_exists(world, "O-LENT")


async def a_session_is_no_token(world: World) -> None:
    mine = world.caller()
    mine.open()
    mine.bearer = {}
    unauthorized(mine.post(LIST_TOOLS), None)


async def an_sse_session_is_its_openers(world: World) -> None:
    mine, other = world.caller(), world.caller(client="till-2")
    stream = mine.events("/sse")
    try:
        want(stream.status == 200, f"/sse answered {stream.status}")
        path = stream.data().removeprefix(world.base)
        reply = other.post(LIST_TOOLS, path)
        want(reply.status == 404, f"another got {reply.status}: {reply.text[:200]}")
        unauthorized(Caller(world.base).post(LIST_TOOLS, path), None)
        call = request("tools/call", {"name": "create_payment", "arguments": terms("O-SSE")})
        reader = world.caller(READ)
        forbidden(reader.post(call, path), PAY)
        reply = mine.post(INITIALIZE, path)
        want(reply.status == 202, f"its own got {reply.status}: {reply.text[:200]}")
        want("protocolVersion" in stream.data(), "no answer came")
    finally:
        stream.close()
    nothing_exists(world, "O-SSE")


# Keys.

async def made_up_keys_do_not_make_it_ask(world: World) -> None:
    before = world.authority.keys_fetched()
    for at in range(40):
        unauthorized(world.bearing({}, kid=f"made-up-{at}").ask("tools/list"), "invalid_token")
    asked = world.authority.keys_fetched() - before
    want(asked <= 3, f"the keys were fetched {asked} times for 40 made-up ones")


async def new_keys_are_taken_without_a_restart(world: World) -> None:
    world.old_token = world.caller().bearer["Authorization"].removeprefix("Bearer ")
    result(Caller(world.base, world.old_token).ask("tools/list"))
    world.authority.rotate()
    deadline = time.monotonic() + REFRESH_SECONDS
    while (reply := world.caller().ask("tools/list")).status != 200:
        want(time.monotonic() < deadline, f"still {reply.status} after {REFRESH_SECONDS} s: {reply.text[:200]}")
        await asyncio.sleep(0.5)


async def old_keys_are_refused_then(world: World) -> None:
    reply = Caller(world.base, world.old_token).call("create_payment", terms("O-OLD"))
    unauthorized(reply, "invalid_token")
    nothing_exists(world, "O-OLD")


Check = Callable[[World], Awaitable[None]]

OPEN_CHECKS: list[tuple[str, Check]] = [
    ("no token: 401 that says how to get one", told_how_to_get_one),
    ("no token: so on every route", on_every_route),
    ("no token: /metrics is not open", metrics_are_not_open),
    ("no token: /healthz and /readyz are open", health_is_open),
    ("the resource is described, with and without its path", the_resource_is_described),
    ("a challenge is about what was called", a_challenge_is_about_what_was_called),
]

TOKEN_CHECKS: list[tuple[str, Check]] = [
    ("RS256 is taken", rs256_is_taken),
    ("ES256 is taken", es256_is_taken),
    ("one audience of several is enough", one_audience_of_several_is_enough),
    ("scopes as a list (scp) are read", scopes_as_a_list_are_read),
    ("nearly over is not over", nearly_over_is_not_over),
    ("another audience: refused", refused(lambda _: {"aud": "https://elsewhere.example/mcp"})),
    ("audience with more behind ours: refused", refused(lambda world: {"aud": f"{world.resource}/x"})),
    ("audience without our path: refused", refused(lambda world: {"aud": world.base})),
    ("no audience: refused", refused(lambda _: {"aud": None})),
    ("expired: refused", refused(lambda _: {"exp": in_seconds(-120)})),
    ("no expiry: refused", refused(lambda _: {"exp": None})),
    ("not yet valid: refused", refused(lambda _: {"nbf": in_seconds(120)})),
    ("another issuer: refused", refused(lambda _: {"iss": "https://elsewhere.example"})),
    ("the issuer with a slash: refused", refused(lambda world: {"iss": f"{world.authority.issuer}/"})),
    ("no issuer: refused", refused(lambda _: {"iss": None})),
    ("nobody's (no sub, no client_id): refused", refused(lambda _: {"sub": None, "client_id": None})),
    ("a stranger's RS256 under our key's name: refused", refused(lambda _: {}, key="stranger")),
    ("a stranger's ES256 under our key's name: refused", refused(lambda _: {}, key="stranger", alg="ES256")),
    ("alg none: refused", refused(lambda _: {}, alg="none")),
    ("HS256 with the public key as secret: refused", refused(lambda _: {}, alg="HS256")),
    ("an unknown key: refused", refused(lambda _: {}, kid="unknown")),
    ("ES256 under the RS256 key's name: refused", refused(lambda _: {}, alg="ES256", kid="key-1-RS256")),
    ("not an access token by its type: refused", refused(lambda _: {}, typ="logout+jwt")),
    ("changed claims: refused", changed_claims_are_refused),
    ("in the query: refused", in_the_query_is_refused),
    ("another scheme: refused", another_scheme_is_refused),
    ("what is no JWT: refused", what_is_no_jwt_is_refused),
]

SCOPE_CHECKS: list[tuple[str, Check]] = [
    ("qfpay:read lists what reads", reader_sees_what_reads),
    ("qfpay:pay lists what pays", payer_sees_what_pays),
    ("qfpay:read may not pay: 403 with the scopes it takes", reader_is_told_what_paying_takes),
    ("qfpay:read may not pay within a session", reader_is_told_within_a_session),
    ("qfpay:pay may not refund", payer_is_told_what_refunding_takes),
    ("qfpay:pay may not read", payer_may_not_read),
    ("without a scope nothing works", without_a_scope_nothing_works),
    ("scopes that look alike are none", scopes_that_look_alike_are_none),
    ("a message with two minds pays nothing", a_message_with_two_minds_pays_nothing),
    ("a header that lies pays nothing", a_header_that_lies_pays_nothing),
    ("qfpay:pay pays, qfpay:refund refunds", pays_and_refunds),
    ("the audit names who it was", the_audit_names_who_it_was),
]

SESSION_CHECKS: list[tuple[str, Check]] = [
    ("a session is its opener's: 404 for another", a_session_is_its_openers),
    ("a session outlives a token", a_session_outlives_a_token),
    ("a session does not lend its scopes", a_session_does_not_lend_its_scopes),
    ("a session is no token", a_session_is_no_token),
    ("an SSE session is its opener's", an_sse_session_is_its_openers),
]

KEY_CHECKS: list[tuple[str, Check]] = [
    ("made-up keys do not make it ask each time", made_up_keys_do_not_make_it_ask),
    ("new keys are taken without a restart", new_keys_are_taken_without_a_restart),
    ("old keys are refused then", old_keys_are_refused_then),
    ("neither audit nor log holds a token", the_audit_holds_no_token),
]
"""The last ones: nothing that was registered or issued before is good after them."""
