"""What an agent does with the server, and what must come of it: the same for every client.

Knows no client and no transport. A check is a function with a sentence for a name; it raises
`Broken` (or anything else) when the sentence is not true.
"""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jsonschema

from person import Person
from wire import Answer, Wire

# No four last digits here are a response code: such an amount would make the simulator answer it.
AMOUNT = 4600
HALF = 2300
LOOSE_AMOUNT = 7300

TOOLS = (
    "create_payment", "wait_for_payment", "query_transaction", "cancel_payment", "refund",
    "explain_respcd", "list_pay_types", "reconcile",
)
RESOURCES = (
    "qfpay://pay-types", "qfpay://currencies", "qfpay://response-codes", "qfpay://environments",
    "skill://qfpay-payments/SKILL.md",
)
SETTLE_SECONDS = 30
"""How long the simulated payer, told to pay after 1 s, may take on a busy machine."""


class Broken(Exception):
    """A check found something else than it wants."""


class Desk:
    """One client's session: its wire, who sits at it, the protocols it may agree on, and what the checks
    learned so far."""

    def __init__(self, wire: Wire, person: Person, name: str, protocols: tuple[str, ...]) -> None:
        self.wire = wire
        self.person = person
        self.protocols = protocols
        self.order = f"{name}-1"
        self.refund_no = f"{name}-R1"
        self.tools: dict[str, dict[str, Any]] = {}
        self.created: dict[str, Any] = {}

    async def succeed(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Calls a tool that must work, and gives its `structuredContent`."""
        return self.accept(tool, await self.wire.call(tool, arguments))

    def accept(self, tool: str, answer: Answer) -> dict[str, Any]:
        """The data of a result that must be a success, held against the schema the tool declares."""
        want(not answer.is_error, f"{tool} is refused: {answer.text}")
        want(answer.data is not None, f"{tool} gave no structuredContent, only: {answer.text}")
        want(answer.text.strip() != "", f"{tool} gave no text")
        schema = self.tools.get(tool, {}).get("outputSchema")
        want(schema is not None, f"{tool} was not listed with an outputSchema")
        jsonschema.validate(answer.data, schema)
        return answer.data

    async def refused(self, tool: str, arguments: dict[str, Any], *words: str) -> None:
        """Calls a tool that must say no, in text alone, and name each of `words`."""
        answer = await self.wire.call(tool, arguments)
        want(answer.is_error, f"{tool} was not refused: {answer.text}")
        want(answer.data is None, f"{tool} is refused with structuredContent: {answer.data}")
        for word in words:
            want(word.lower() in answer.text.lower(), f"the refusal does not name `{word}`: {answer.text}")

    async def settled(
        self, status: str, met: Callable[[dict[str, Any]], bool] = lambda _: True, number: str | None = None
    ) -> dict[str, Any]:
        """Queries the order, or the one under `number`, until it has `status` and `met` holds, and gives it."""
        number = number or self.order
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            reply = await self.succeed("query_transaction", {"out_trade_no": number})
            order = only(reply["orders"])
            want(order["out_trade_no"] == number, f"asked for {number}, got {order}")
            if order["status"] == status and met(order):
                return order
            want(time.monotonic() < deadline, f"not {status} within {SETTLE_SECONDS} s: {order}")
            await asyncio.sleep(0.3)


def want(holds: bool, otherwise: str) -> None:
    """Ends the check with `otherwise` unless it holds."""
    if not holds:
        raise Broken(otherwise)


def only(items: list[Any]) -> Any:
    """The one item of a list that must have one."""
    want(len(items) == 1, f"one is wanted, {len(items)} came: {items}")
    return items[0]


async def tools_are_listed(desk: Desk) -> None:
    desk.tools = {tool["name"]: tool for tool in await desk.wire.list_tools()}
    missing = [name for name in TOOLS if name not in desk.tools]
    want(not missing, f"not listed: {missing}")
    for name, tool in desk.tools.items():
        schema = tool["inputSchema"]
        want(schema.get("type") == "object" and "properties" in schema, f"{name} takes {schema}")
        want(bool(tool.get("description")), f"{name} has no description")


async def create_is_pending(desk: Desk) -> None:
    answer = await desk.wire.call("create_payment", terms(desk))
    created = desk.created = desk.accept("create_payment", answer)
    for name, value in {
        "status": "pending", "out_trade_no": desk.order, "amount": AMOUNT,
        "amount_text": "HKD 46.00", "environment": "simulator", "respcd": "0000",
    }.items():
        want(created.get(name) == value, f"{name} is {created.get(name)!r}, not {value!r}")
    want(created["syssn"] != "", "syssn is empty")
    want(not created.get("replayed"), "a new order says it is replayed")
    for fact in (desk.order, created["qrcode"]):
        want(fact in answer.text, f"the text does not hold {fact}: {answer.text}")
    picture = only(answer.pictures)
    want(picture["mimeType"] == "image/png", f"the picture is a {picture['mimeType']}")
    want(base64.b64decode(picture["data"]).startswith(b"\x89PNG"), "the picture is no PNG")


async def same_number_is_replayed(desk: Desk) -> None:
    again = await desk.succeed("create_payment", terms(desk))
    want(again.get("replayed") is True, f"not marked as replayed: {again}")
    want(again["syssn"] == desk.created["syssn"], f"another trade was made: {again['syssn']}")


async def same_number_other_amount(desk: Desk) -> None:
    await desk.refused("create_payment", terms(desk) | {"amount": AMOUNT + 100}, desk.order)


async def bad_arguments(desk: Desk) -> None:
    bad = {"amount": 10.5, "currency": "HKD", "pay_type": "999999"}
    await desk.refused("create_payment", bad, "amount", "10.5", "pay_type", "999999")


async def loose_arguments(desk: Desk) -> None:
    """What other frameworks make of the schema: a digit string, null, an empty string, an extra."""
    loose = {
        "amount": str(LOOSE_AMOUNT), "currency": "HKD", "pay_type": "800201",
        "out_trade_no": None, "goods_name": "", "wait_for_previous": True,
        # Without a number, the same terms from another client would be taken for a repeat.
        "udid": desk.order,
    }
    created = await desk.succeed("create_payment", loose)
    want(created["amount"] == LOOSE_AMOUNT, f"amount is {created['amount']}")
    want(created["out_trade_no"] != "", "no number was made")


async def repeat_without_a_number(desk: Desk) -> None:
    first = {"amount": LOOSE_AMOUNT, "currency": "HKD", "pay_type": "800201", "udid": desk.order}
    await desk.refused("create_payment", first, "asked for", "query_transaction")


async def wait_says_paid(desk: Desk) -> None:
    waited = await desk.succeed("wait_for_payment", {"out_trade_no": desk.order, "timeout_seconds": SETTLE_SECONDS})
    want(waited["status"] == "paid", f"status is {waited['status']}")


async def cancel_what_is_paid(desk: Desk) -> None:
    await desk.refused("cancel_payment", {"out_trade_no": desk.order}, "paid", "refund")


async def query_says_paid(desk: Desk) -> None:
    order = await desk.settled("paid")
    want(order["amount"] == AMOUNT, f"amount is {order['amount']}")
    want("refunds" not in order, f"refunded before anybody asked: {order.get('refunds')}")


async def refund_half(desk: Desk) -> None:
    refund = await desk.succeed("refund", half(desk))
    want(refund["status"] in ("refunded", "pending"), f"status is {refund['status']}")
    want(refund["amount"] == HALF, f"amount is {refund['amount']}")
    want(refund["refund_no"] == desk.refund_no, f"refund_no is {refund['refund_no']}")


async def same_refund_is_replayed(desk: Desk) -> None:
    again = await desk.succeed("refund", half(desk))
    want(again.get("replayed") is True, f"not marked as replayed: {again}")
    want(again["refund_no"] == desk.refund_no, f"refund_no is {again['refund_no']}")


async def query_shows_refund(desk: Desk) -> None:
    order = await desk.settled("partially_refunded", lambda order: "refunds" in order)
    refund = only(order["refunds"])
    want(refund["amount"] == HALF, f"refunded {refund['amount']}")
    want(refund["refund_no"] == desk.refund_no, f"refund_no is {refund['refund_no']}")


async def refund_over_rest(desk: Desk) -> None:
    await desk.refused("refund", {"out_trade_no": desk.order, "amount": HALF + 1}, str(HALF + 1))


async def explain(desk: Desk) -> None:
    reply = await desk.succeed("explain_respcd", {"query": "1145"})
    want(reply["matches"][0]["respcd"] == "1145", f"the best match is {reply['matches'][:1]}")


async def pay_types(desk: Desk) -> None:
    reply = await desk.succeed("list_pay_types", {"currency": "HKD"})
    want('"800201 mpm"' in json.dumps(reply["pay_types"]), f"800201 is not among {reply['pay_types']}")


async def resources_can_be_read(desk: Desk) -> None:
    listed = {resource["uri"]: resource for resource in await desk.wire.list_resources()}
    for uri in RESOURCES:
        want(uri in listed, f"{uri} is not listed: {list(listed)}")
        part = await desk.wire.read(uri)
        want(part["uri"] == uri and part["text"] != "", f"{uri} holds {part}")
        want(part["mimeType"] == listed[uri]["mimeType"], f"{uri} is of type {part['mimeType']}")


async def order_as_a_resource(desk: Desk) -> None:
    part = await desk.wire.read(f"qfpay://orders/{desk.order}")
    order = json.loads(part["text"])
    want(order["status"] == "partially_refunded", f"status is {order['status']}")
    what = [event["what"] for event in order["history"]]
    want(what[0] == "sent", f"it begins with {what}")


async def prompt_names_the_call(desk: Desk) -> None:
    message = await desk.wire.prompt("follow_up_order", {"out_trade_no": desk.order})
    want(message["role"] == "user", f"said by {message['role']}")
    text = message["content"]["text"]
    for fact in ("query_transaction", desk.order):
        want(fact in text, f"{fact} is not in {text}")


async def newest_protocol(desk: Desk) -> None:
    want(desk.wire.protocol in desk.protocols, f"agreed on {desk.wire.protocol}, not on {desk.protocols}")


async def nothing_unasked(desk: Desk) -> None:
    want(not desk.wire.stray, f"came unasked: {desk.wire.stray}")


def terms(desk: Desk) -> dict[str, Any]:
    """The order that the checks are about."""
    return {"amount": AMOUNT, "currency": "HKD", "pay_type": "800201", "out_trade_no": desk.order}


def half(desk: Desk) -> dict[str, Any]:
    """The refund that the checks are about."""
    return {"out_trade_no": desk.order, "amount": HALF, "refund_no": desk.refund_no}


Check = Callable[[Any], Awaitable[None]]

CHECKS: list[tuple[str, Check]] = [
    ("list tools", tools_are_listed),
    ("create", create_is_pending),
    ("create again, same number: replayed", same_number_is_replayed),
    ("create again, other amount: refused", same_number_other_amount),
    ("create, two bad arguments: both named", bad_arguments),
    ("create, loosely typed arguments", loose_arguments),
    ("create again without a number: refused as a repeat", repeat_without_a_number),
    ("wait until paid", wait_says_paid),
    ("query until paid", query_says_paid),
    ("cancel what is paid: refused", cancel_what_is_paid),
    ("refund half", refund_half),
    ("refund again, same number: replayed", same_refund_is_replayed),
    ("query shows the one refund", query_shows_refund),
    ("refund more than is left: refused", refund_over_rest),
    ("explain 1145", explain),
    ("list pay types", pay_types),
    ("read every resource", resources_can_be_read),
    ("read the order as a resource", order_as_a_resource),
    ("a prompt names the call", prompt_names_the_call),
]
"""For every client, in this sequence: later ones build on the order that `create` made."""

SESSION_CHECKS: list[tuple[str, Check]] = [
    ("newest protocol agreed on", newest_protocol),
    ("nothing came unasked", nothing_unasked),
]
"""For clients that keep a session."""
