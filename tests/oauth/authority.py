"""The authorization server under `server.mjs`: started, asked for tokens, and told to sign wrong ones."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from caller import Reply, send

READY_SECONDS = 20
SECRET = "a-secret-of-the-tests"

READ, PAY, REFUND = "qfpay:read", "qfpay:pay", "qfpay:refund"
ALL = f"{READ} {PAY} {REFUND}"


class Authority:
    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.origin = issuer[: issuer.index("/", len("http://"))] if issuer.count("/") > 2 else issuer

    def token(self, client: str, scope: str, resource: str) -> str:
        """What the client gets for itself (`client_credentials`), for use at `resource` (RFC 8707)."""
        login = base64.b64encode(f"{client}:{SECRET}".encode()).decode()
        form = urlencode({"grant_type": "client_credentials", "scope": scope, "resource": resource})
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/x-www-form-urlencoded"}
        return _took(send("POST", f"{self.issuer}/token", headers, form.encode()))["access_token"]

    def mint(self, claims: dict[str, Any], **header: str) -> str:
        """A token with just these claims; `header` is in the words of `server.mjs`."""
        return self._control("POST", "mint", {"claims": claims} | header)["token"]

    def good_claims(self, resource: str, **changed: Any) -> dict[str, Any]:
        """Claims that are taken at `resource`, `changed` as they may be; None leaves one out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": resource, "sub": "till", "client_id": "till", "scope": ALL,
            "iat": now, "exp": now + 300, "jti": "one-of-the-tests",
        } | changed
        return {name: value for name, value in claims.items() if value is not None}

    def rotate(self) -> None:
        self._control("POST", "rotate", {})

    def keys_fetched(self) -> int:
        return self._control("GET", "seen")["keysFetched"]

    def _control(self, method: str, what: str, body: Any = None) -> Any:
        text = None if body is None else json.dumps(body).encode()
        return _took(send(method, f"{self.origin}/control/{what}", {}, text))


def _took(reply: Reply) -> Any:
    if reply.status not in (200, 201):
        raise RuntimeError(f"the authorization server answered {reply.status}: {reply.text[:300]}")
    return json.loads(reply.text)


@contextmanager
def authority(desk: Path, *arguments: str) -> Iterator[Authority]:
    """Runs `server.mjs` with `arguments`; ends it afterwards."""
    program = Path(os.environ["OAUTH_SERVER"]) / "server.mjs"
    with open(desk / "authority", "a") as stderr:
        process = subprocess.Popen(
            [os.environ["CLIENTS_NODE"], str(program), *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True,
        )
    try:
        yield Authority(_issuer(process))
    finally:
        process.terminate()
        process.wait(READY_SECONDS)


def _issuer(process: subprocess.Popen) -> str:
    for line in process.stdout:
        if line.startswith("{"):
            return json.loads(line)["issuer"]
    raise RuntimeError(f"the authorization server stopped by itself with code {process.wait()}")
