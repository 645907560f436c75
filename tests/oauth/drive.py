"""Starts an authorization server and a qfpay-mcp that trusts it, and prints one line a check.

drive.py BINARY

Run by `run.sh`, in the environment that has the Python SDK 2.x. Exits 3 when a check failed.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from authority import ALL, Authority, authority
from caller import Caller
from checks import want
from flow_checks import FLOW_CHECKS
from report import CHECKS_FAILED, outcome, reason, tell, tell_stderr
from server import free_address, serving
from token_checks import (
    KEY_CHECKS, OPEN_CHECKS, SCOPE_CHECKS, SESSION_CHECKS, TOKEN_CHECKS, Check, World, forbidden, result, terms,
)


@contextmanager
def world(
    binary: str, desk: Path, trusted: Authority, rules: dict[str, str], prefix: str = ""
) -> Iterator[World]:
    """A server that trusts `trusted`; `prefix` is a path that its address has."""
    desk.mkdir()
    address = free_address()
    base = f"http://{address}{prefix}"
    rules = {"QFPAY_PUBLIC_URL": base, "QFPAY_OAUTH_ISSUER": trusted.issuer} | rules
    with serving(binary, desk, rules, address):
        yield World(binary, desk, rules, base, trusted)


async def run(where: str, checks: list[tuple[str, Check]], played: World) -> int:
    """Runs the checks and gives the number that failed."""
    failed = 0
    for name, check in checks:
        started = time.monotonic()
        problem = await outcome(check, played)
        failed += problem is not None
        tell(where, name, problem, time.monotonic() - started)
    if failed:
        tell_stderr(where, played.desk / "stderr")
    return failed


SCENES: list[tuple[str, list[tuple[str, Check]]]] = [
    ("oauth  open", OPEN_CHECKS),
    ("oauth  token", TOKEN_CHECKS),
    ("oauth  scope", SCOPE_CHECKS),
    ("oauth  session", SESSION_CHECKS),
    ("oauth  flow", FLOW_CHECKS),
    ("oauth  keys", KEY_CHECKS),
]
"""In this sequence, with one server: its keys are replaced in the end."""


async def with_one_server(binary: str, home: Path) -> int:
    failed = 0
    with authority(home) as trusted, world(binary, home / "main", trusted, {}) as played:
        for where, checks in SCENES:
            failed += await run(where, checks, played)
    return failed


async def a_token_is_taken(played: World) -> None:
    result(played.caller().ask("tools/list"))


async def the_place_of_the_keys_is_told(binary: str, home: Path) -> int:
    """However the authorization server describes itself, or if it does not."""
    failed = 0
    for name, path, well_known in (
        ("by RFC 8414 alone", "", "oauth-authorization-server"),
        ("by OpenID Connect alone", "", "openid-configuration"),
        ("by RFC 8414, issuer with a path", "/realms/shop", "oauth-authorization-server"),
        ("by OpenID Connect, issuer with a path", "/realms/shop", "openid-configuration"),
        ("by QFPAY_OAUTH_JWKS_URL", "", "nowhere"),
    ):
        desk = home / name.replace("/", "-")
        with authority(home, path, well_known) as trusted:
            rules = {"QFPAY_OAUTH_JWKS_URL": f"{trusted.issuer}/jwks"} if well_known == "nowhere" else {}
            with world(binary, desk, trusted, rules) as played:
                failed += await run("oauth  discovery", [(name, a_token_is_taken)], played)
    return failed


async def below_a_path(binary: str, home: Path) -> int:
    """RFC 9728 §3.1: what is well known stands before the path of the resource."""
    async def described(played: World) -> None:
        at = Caller(played.base).get("/mcp").challenge()["resource_metadata"]
        told = Caller("").get(at, {"Accept": "application/json"})
        want(told.status == 200, f"{at} answered {told.status}")
        want(told.message()["resource"] == played.resource, f"the resource is {told.message()['resource']}")

    async def before_it(played: World) -> None:
        origin = played.base.removesuffix("/qfpay")
        told = Caller(origin).get("/.well-known/oauth-protected-resource/qfpay/mcp", {"Accept": "application/json"})
        want(told.status == 200 and told.message()["resource"] == played.resource, f"got {told}")

    checks = [
        ("a token is taken", a_token_is_taken),
        ("the challenge leads to the description", described),
        ("the description stands before the path", before_it),
        FLOW_CHECKS[0],
        FLOW_CHECKS[2],
        FLOW_CHECKS[5],
    ]
    with authority(home) as trusted, world(binary, home / "path", trusted, {}, "/qfpay") as played:
        return await run("oauth  path", checks, played)


async def for_a_merchant(binary: str, home: Path) -> int:
    """The claim `qfpay_profile` names the merchant."""
    async def is_theirs(played: World) -> None:
        result(played.caller(client="till-east").call("create_payment", terms("P-EAST")))

    async def is_not_anothers(played: World) -> None:
        west = played.bearing({"qfpay_profile": "west", "sub": "till-west"})
        reply = result(west.call("query_transaction", {"out_trade_no": "P-EAST"}))
        want(reply["structuredContent"]["orders"] == [], f"west sees {reply['structuredContent']}")

    async def without_one_is_refused(played: World) -> None:
        several = played.bearing({"qfpay_profile": ["east", "west"]})
        for caller in (played.caller(), played.caller(client="till-nowhere"), several):
            reply = caller.call("create_payment", terms("P-NOBODY"))
            want(reply.status in (401, 403), f"got {reply.status}: {reply.text[:200]}")

    checks = [
        ("the claim names the merchant", is_theirs),
        ("another merchant does not see the order", is_not_anothers),
        ("a token that names none: refused", without_one_is_refused),
    ]
    rules = {"QFPAY_PROFILES": "east,west", "QFPAY_PROFILE_EAST_MCHID": "EAST1", "QFPAY_PROFILE_WEST_MCHID": "WEST1"}
    with authority(home) as trusted, world(binary, home / "merchants", trusted, rules) as played:
        return await run("oauth  merchant", checks, played)


async def unreachable(binary: str, home: Path) -> int:
    """Nobody is let through where nobody vouches for them."""
    async def refused(played: World) -> None:
        reply = Caller(played.base, token).call("create_payment", terms("U-1"))
        want(reply.status in (401, 503), f"got {reply.status}: {reply.text[:200]}")

    async def healthy(played: World) -> None:
        want(Caller(played.base).get("/healthz").status == 200, "it is not healthy")

    with authority(home) as gone:
        address = free_address()
        token = gone.token("till", ALL, f"http://{address}/mcp")
    with world(binary, home / "unreachable", gone, {}) as played:
        return await run("oauth  unreachable", [("no token is taken", refused), ("it is healthy", healthy)], played)


async def drive(binary: str, home: Path) -> int:
    failed = 0
    for scene in (with_one_server, the_place_of_the_keys_is_told, below_a_path, for_a_merchant, unreachable):
        folder = home / scene.__name__
        folder.mkdir()
        try:
            failed += await scene(binary, folder)
        except Exception as error:
            where = f"oauth  {scene.__name__}"
            tell(where, "start", f"not reached: {reason(error)}", 0)
            for stderr in (folder / "authority", *folder.glob("*/stderr")):
                tell_stderr(where, stderr)
            failed += 1
    return failed


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="qfpay-oauth-") as home:
        failed = asyncio.run(drive(sys.argv[1], Path(home)))
    return CHECKS_FAILED if failed else 0


if __name__ == "__main__":
    sys.exit(main())
