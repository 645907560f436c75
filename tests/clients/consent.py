"""What must come of a payment or refund that takes a person's yes, and of one where nobody may pay.

As in `checks.py`, a check is a function with a sentence for a name, and knows no client.
"""

import asyncio
from typing import Any

from checks import SESSION_CHECKS, SETTLE_SECONDS, TOOLS, Check, Desk, only, tools_are_listed, want
from person import READ_SECONDS
from wire import Answer

# As AMOUNT in `checks.py`: no response code in the last four digits.
AMOUNT, AMOUNT_TEXT = 1050, "HKD 10.50"
PART, PART_TEXT, LEFT_TEXT = 420, "HKD 4.20", "HKD 6.30"
GOODS = "Green tea"

NOT_SENT = "Refused; nothing was sent"
"""How every refusal of these begins."""

ASKS = {"QFPAY_CONFIRM": "always", "QFPAY_SIMULATOR_PAYER_SECONDS": "0"}
HURRY_SECONDS = 5
"""The shortest time for which a question can be open."""
HURRIES = ASKS | {"QFPAY_CONFIRM_SECONDS": str(HURRY_SECONDS)}
READS = {"QFPAY_READ_ONLY": "1"}

WRITING = ("create_payment", "cancel_payment", "refund")
MODERN = "2026-07-28"
"""From here on a question is a round of the call, not a request of the server's."""


async def question_names_what_is_paid(desk: Desk) -> None:
    desk.person.will("decline")
    await desk.wire.call("create_payment", payment(desk, "named"))
    asked = only(desk.person.asked)
    named = (AMOUNT_TEXT, number(desk, "named"), "simulator", f'"{GOODS}"', "take a payment")
    wants_named(asked["message"], *named)


async def no_is_chosen_beforehand(desk: Desk) -> None:
    form = desk.person.asked[-1]["requestedSchema"]
    want(form["type"] == "object" and form["required"] == ["answer"], f"the form is {form}")
    want(list(form["properties"]) == ["answer"], f"asked for more than an answer: {form}")
    answer = form["properties"]["answer"]
    want(answer["type"] == "string" and answer["enum"] == ["no", "yes"], f"the choice is {answer}")
    want(answer["default"] == "no", f"chosen beforehand is {answer.get('default')}")


async def yes_pays(desk: Desk) -> None:
    desk.person.will_say_yes()
    created = await paid(desk, "yes")
    want(created["status"] in ("pending", "paid"), f"status is {created['status']}")
    want(created["out_trade_no"] == number(desk, "yes"), f"paid is {created['out_trade_no']}")
    want(created["amount_text"] == AMOUNT_TEXT, f"amount is {created['amount_text']}")
    want(not created.get("replayed"), "a new order says it is replayed")
    await desk.settled("paid", number=number(desk, "yes"))


async def repeat_is_not_asked_again(desk: Desk) -> None:
    before = len(desk.person.asked)
    again = await paid(desk, "yes")
    want(again.get("replayed") is True, f"not marked as replayed: {again}")
    want(len(desk.person.asked) == before, "asked again about what was paid before")


async def yes_refunds(desk: Desk) -> None:
    desk.person.will_say_yes()
    refund = await desk.succeed("refund", part(desk, "R1"))
    want(refund["status"] in ("refunded", "pending"), f"status is {refund['status']}")
    want(refund["amount_text"] == PART_TEXT, f"amount is {refund['amount_text']}")
    message = desk.person.asked[-1]["message"]
    wants_named(message, PART_TEXT, number(desk, "yes"), "simulator", f'"{GOODS}"', "give money back")
    wants_named(message, f"Left of the payment after it: {LEFT_TEXT}")
    order = await desk.settled("partially_refunded", lambda it: "refunds" in it, number(desk, "yes"))
    want(only(order["refunds"])["amount"] == PART, f"refunded is {order['refunds']}")


async def declined_refund_gives_nothing_back(desk: Desk) -> None:
    desk.person.will("decline")
    not_sent(await desk.wire.call("refund", part(desk, "R2")), "declined")
    order = await desk.settled("partially_refunded", number=number(desk, "yes"))
    want(only(order["refunds"])["amount"] == PART, f"refunded is {order['refunds']}")


async def chosen_no_pays_nothing(desk: Desk) -> None:
    desk.person.will("accept", answer="no")
    await pays_nothing(desk, "no", "declined")


async def declining_pays_nothing(desk: Desk) -> None:
    desk.person.will("decline")
    await pays_nothing(desk, "declined", "declined")


async def closing_pays_nothing(desk: Desk) -> None:
    desk.person.will("cancel")
    await pays_nothing(desk, "closed", "without an answer")


async def form_sent_empty_pays_nothing(desk: Desk) -> None:
    desk.person.will("accept", after=READ_SECONDS)
    await pays_nothing(desk, "empty", "not one that was offered")


async def yes_in_no_time_pays_nothing(desk: Desk) -> None:
    desk.person.will("accept", answer="yes")
    await pays_nothing(desk, "at-once", "faster than a person can read")


async def late_yes_pays_nothing(desk: Desk) -> None:
    desk.person.will("accept", after=HURRY_SECONDS + READ_SECONDS, answer="yes")
    # Between two rounds the server waits for nothing: there it is the answer that comes too late.
    why = "holds for" if desk.wire.protocol == MODERN else "nobody answered within"
    await pays_nothing(desk, "late", f"{why} {HURRY_SECONDS} s")


async def question_comes_as_a_round(desk: Desk) -> None:
    want(desk.wire.protocol == MODERN, f"agreed on {desk.wire.protocol}")
    before = len(desk.person.asked)
    round_ = await first_round(desk, "by-hand")
    want(list(round_["inputRequests"]) == ["confirm"], f"asked is {list(round_['inputRequests'])}")
    request = round_["inputRequests"]["confirm"]
    want(request["method"] == "elicitation/create", f"asked by {request['method']}")
    wants_named(request["params"]["message"], AMOUNT_TEXT, number(desk, "by-hand"))
    want(bool(round_["requestState"]), "no state came with the question")
    want(len(desk.person.asked) == before, "a call by hand asked the person")
    await nothing_exists(desk, "by-hand")


async def yes_after_a_no_pays_nothing(desk: Desk) -> None:
    round_ = await first_round(desk, "turned")
    not_sent(await second_round(desk, "turned", round_, "no"), "declined")
    await asyncio.sleep(READ_SECONDS)
    not_sent(await second_round(desk, "turned", round_, "yes"), "used already")
    await nothing_exists(desk, "turned")


async def yes_to_other_terms_pays_nothing(desk: Desk) -> None:
    round_ = await first_round(desk, "raised")
    await asyncio.sleep(READ_SECONDS)
    answer = await second_round(desk, "raised", round_, "yes", amount=AMOUNT * 10)
    not_sent(answer, "other terms")
    await nothing_exists(desk, "raised")


async def yes_to_no_question_pays_nothing(desk: Desk) -> None:
    answer = await second_round(desk, "unasked", {"requestState": None}, "yes")
    not_sent(answer, "no question")
    await nothing_exists(desk, "unasked")


async def needs_approval(desk: Desk) -> None:
    answer = await desk.wire.call("create_payment", payment(desk, "approval"))
    waits = desk.created = desk.accept("create_payment", answer)
    want(waits["status"] == "needs_approval", f"status is {waits['status']}")
    want(waits["out_trade_no"] == number(desk, "approval"), f"it is about {waits['out_trade_no']}")
    want(waits["amount_text"] == AMOUNT_TEXT, f"amount is {waits['amount_text']}")
    code = waits["approval_code"]
    want(len(code) == 8 and code.isalnum(), f"the code is {code!r}")
    wants_named(waits["next_step"], f"qfpay-mcp approve {code}")
    wants_named(waits["meaning"], "Nothing was sent")
    wants_named(answer.text, code)
    want("qrcode" not in waits and "syssn" not in waits, f"there is something to pay: {waits}")


async def asking_again_keeps_the_code(desk: Desk) -> None:
    again = await paid(desk, "approval")
    want(again["status"] == "needs_approval", f"status is {again['status']}")
    first = desk.created["approval_code"]
    want(again["approval_code"] == first, f"{first} became {again['approval_code']}")


async def waiting_pays_nothing(desk: Desk) -> None:
    await nothing_exists(desk, "approval")


async def only_readers_are_listed(desk: Desk) -> None:
    desk.tools = {tool["name"]: tool for tool in await desk.wire.list_tools()}
    readers = sorted(set(TOOLS) - set(WRITING))
    want(sorted(desk.tools) == readers, f"listed are {sorted(desk.tools)}")


async def writers_are_refused(desk: Desk) -> None:
    order = {"out_trade_no": number(desk, "read-only")}
    arguments = (payment(desk, "read-only"), order, order)
    for tool, given in zip(WRITING, arguments, strict=True):
        not_sent(await desk.wire.call(tool, given), "QFPAY_READ_ONLY", tool)


async def readers_work(desk: Desk) -> None:
    await nothing_exists(desk, "read-only")


async def paid(desk: Desk, name: str) -> dict[str, Any]:
    """Asks for the payment `name`; it must not be refused."""
    return await desk.succeed("create_payment", payment(desk, name))


async def pays_nothing(desk: Desk, name: str, *words: str) -> None:
    """The person, asked once about the payment `name`, has it refused with `words`."""
    before = len(desk.person.asked)
    answer = await desk.wire.call("create_payment", payment(desk, name))
    not_sent(answer, *words)
    want(len(desk.person.asked) == before + 1, f"asked {len(desk.person.asked) - before} times")
    await nothing_exists(desk, name)


async def nothing_exists(desk: Desk, name: str) -> None:
    reply = await desk.succeed("query_transaction", {"out_trade_no": number(desk, name)})
    want(reply["orders"] == [], f"there is {reply['orders']}")


async def first_round(desk: Desk, name: str) -> dict[str, Any]:
    """Asks for the payment `name` by hand; it must take another round."""
    result = await desk.wire.round("create_payment", payment(desk, name))
    want(result["resultType"] == "input_required", f"got {result}")
    return result


async def second_round(
    desk: Desk, name: str, first: dict[str, Any], answer: str, **changed: Any
) -> Answer:
    """Answers what came of the first round, the terms `changed` as they may be."""
    answers = {"confirm": {"action": "accept", "content": {"answer": answer}}}
    arguments = payment(desk, name) | changed
    return Answer.of(await desk.wire.round("create_payment", arguments, answers, first["requestState"]))


def not_sent(answer: Answer, *words: str) -> None:
    """A refusal that says so first, in text alone, and names each of `words`."""
    want(answer.is_error, f"not refused: {answer.text}")
    want(answer.data is None, f"refused with structuredContent: {answer.data}")
    want(answer.text.startswith(NOT_SENT), f"the refusal begins otherwise: {answer.text}")
    wants_named(answer.text, *words)


def wants_named(text: str, *words: str) -> None:
    missing = [word for word in words if word not in text]
    want(not missing, f"not named: {missing}, in: {text}")


def number(desk: Desk, name: str) -> str:
    """The order number of the payment `name`; no two checks share one."""
    return f"{desk.order}-{name}"


def payment(desk: Desk, name: str) -> dict[str, Any]:
    return {
        "amount": AMOUNT, "currency": "HKD", "pay_type": "800201",
        "out_trade_no": number(desk, name), "goods_name": GOODS,
    }


def part(desk: Desk, name: str) -> dict[str, Any]:
    """A refund of a part of what `yes_pays` paid."""
    return {"out_trade_no": number(desk, "yes"), "amount": PART, "refund_no": number(desk, name)}


ASKED_CHECKS: list[tuple[str, Check]] = [
    ("list tools", tools_are_listed),
    ("the question names what is paid", question_names_what_is_paid),
    ("no is chosen beforehand", no_is_chosen_beforehand),
    ("yes pays", yes_pays),
    ("repeat is not asked again", repeat_is_not_asked_again),
    ("yes refunds", yes_refunds),
    ("declined refund gives nothing back", declined_refund_gives_nothing_back),
    ("chosen no pays nothing", chosen_no_pays_nothing),
    ("declining pays nothing", declining_pays_nothing),
    ("closing the question pays nothing", closing_pays_nothing),
    ("a form sent empty pays nothing", form_sent_empty_pays_nothing),
    ("yes in no time pays nothing", yes_in_no_time_pays_nothing),
    *SESSION_CHECKS,
]
"""With a client that can ask the person at it; later ones build on what `yes` paid."""

ROUND_CHECKS: list[tuple[str, Check]] = [
    ("the question comes as a round", question_comes_as_a_round),
    ("yes after a no pays nothing", yes_after_a_no_pays_nothing),
    ("yes to other terms pays nothing", yes_to_other_terms_pays_nothing),
    ("yes to no question pays nothing", yes_to_no_question_pays_nothing),
]
"""With a client of rounds, where what the client carries could be turned against the person."""

HURRIED_CHECKS: list[tuple[str, Check]] = [
    ("list tools", tools_are_listed),
    ("late yes pays nothing", late_yes_pays_nothing),
    ("yes in time pays", yes_pays),
]
"""With a client that can ask, where questions are not open for long."""

UNASKED_CHECKS: list[tuple[str, Check]] = [
    ("list tools", tools_are_listed),
    ("create needs approval", needs_approval),
    ("create again, same code", asking_again_keeps_the_code),
    ("create that waits pays nothing", waiting_pays_nothing),
]
"""With a client that cannot ask."""

READING_CHECKS: list[tuple[str, Check]] = [
    ("only tools that read are listed", only_readers_are_listed),
    ("tools that read work", readers_work),
]
"""Where the server only reads."""

UNLISTED_CHECKS: list[tuple[str, Check]] = [
    ("tools that write are refused", writers_are_refused),
]
"""There too, with a client that calls a tool also where it is not listed."""
