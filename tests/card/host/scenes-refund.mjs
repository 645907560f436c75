// Money that goes back: once, whatever breaks.

import { same, is, paid, wantsBack, refundCalls, done } from "./play.mjs";

export const SCENES = {
  async "refunds a part, then the rest"(play) {
    const { card, order } = await paid(play);
    await card.at("refund").click();
    play.check("all that is left is filled in", same(await card.at("sum").inputValue(), "88.00"));
    await card.shot("refund-edit");
    play.check("axe, form", (await card.violations()).join(" | "));
    for (const [sum, words] of [["", "Write an amount"], ["12.345", "Write an amount"], ["-1", "Write an amount"], ["1e3", "Write an amount"], ["0.00", "more than zero"], ["88.01", "more than HKD 88.00"], ["99999999999999999999", "Write an amount"]]) {
      await card.at("sum").fill(sum);
      await card.at("go-on").click();
      const told = await card.at("sum-wrong").textContent();
      play.check(`"${sum}" is no amount to refund`, is(told.includes(words), told));
    }
    await card.shot("refund-wrong");
    play.check("axe, wrong", (await card.violations()).join(" | "));
    play.check("nothing was called", same(await refundCalls(card), []));
    await card.at("sum").fill("３０．5");
    await card.at("go-on").click();
    const question = await card.at("question").textContent();
    play.check("it asks first", same(question, `Give back HKD 30.50 of order ${order.out_trade_no}? This cannot be undone.`));
    await card.shot("refund-sure");
    play.check("axe, question", (await card.violations()).join(" | "));
    await card.at("yes").evaluate((it) => { it.click(); it.click(); });
    await done(card, "Refunded");
    await card.says("Partly refunded");
    await card.shot("partly-refunded");
    play.check("axe, partly", (await card.violations()).join(" | "));
    const calls = await refundCalls(card);
    play.check("two presses are one call", same(calls.map((it) => [it.out_trade_no, it.amount]), [[order.out_trade_no, 3050]]));
    await card.at("close").click();
    play.check("the focus goes back", same(await card.inner.evaluate(() => document.activeElement.id), "refund"));
    await wantsBack(card);
    await card.at("yes").click();
    await card.says("Refunded");
    await card.at("close").click();
    await card.shot("refunded");
    play.check("axe, refunded", (await card.violations()).join(" | "));
    play.check("the rest was 57.50", same((await refundCalls(card)).at(-1).amount, 5750));
    play.check("no more is offered", is(await card.at("refund").isHidden()));
    const told = await card.host("context");
    play.check("the model hears of it", is(told.some((it) => it.includes("is now refunded")), told.join(" ")));
  },

  async "two copies refund once"(play) {
    const first = await paid(play);
    const server = await play.shared();
    const second = await play.open(server, {});
    await second.show(first.result);
    await second.says("Paid");
    for (const card of [first.card, second]) await wantsBack(card, "10");
    await Promise.all([first.card, second].map((it) => it.at("yes").click()));
    await Promise.all([first.card, second].map((it) => it.at("close").waitFor()));
    const numbers = (await Promise.all([first.card, second].map(refundCalls))).flat().map((it) => it.refund_no);
    play.check("both say the same number", is(numbers.length === 2 && numbers[0] === numbers[1], numbers.join(" ")));
    const found = await second.beside("query_transaction", { out_trade_no: first.order.out_trade_no });
    play.check("one refund was made", same(found.structuredContent.orders[0].refunds.map((it) => it.amount), [1000]));
  },

  async "a refund in doubt"(play) {
    const { card } = await paid(play, {}, { amount: 50_000 });
    await wantsBack(card, "105.02");
    // The answer gets lost, and so does every question about it.
    await card.page.route("**/mcp", async (route) => (/"query_transaction"/.test(route.request().postData() ?? "") ? route.abort() : route.continue()));
    await card.at("yes").click();
    await done(card, "Refund result not known yet");
    await card.shot("refund-in-doubt");
    play.check("axe", (await card.violations()).join(" | "));
    await card.at("close").click();
    play.check("no other refund is offered", is(await card.at("refund").isHidden()));
    await card.page.unroute("**/mcp");
    await card.says("Partly refunded");
    play.check("it was called once", same((await refundCalls(card)).length, 1));
  },

  async "a refund whose answer does not arrive"(play) {
    const { card, order } = await paid(play);
    await wantsBack(card, "20");
    await card.page.route("**/mcp", async (route) => {
      const body = route.request().postData() ?? "";
      if (/query_transaction/.test(body)) return route.abort();
      if (!/"name":"refund"/.test(body)) return route.continue();
      await route.fetch();
      await route.abort();
    });
    await card.at("yes").click();
    await done(card, "No clear answer");
    await card.shot("refund-unanswered");
    play.check("axe", (await card.violations()).join(" | "));
    await card.page.unroute("**/mcp");
    await card.at("repeat").click();
    await done(card, "Refunded");
    const numbers = (await refundCalls(card)).map((it) => it.refund_no);
    play.check("the same again is the same refund", is(numbers.length === 2 && numbers[0] === numbers[1], numbers.join(" ")));
    const found = await card.beside("query_transaction", { out_trade_no: order.out_trade_no });
    play.check("it was made once", same(found.structuredContent.orders[0].refunds.map((it) => it.amount), [2000]));
  },

  async "a refund that was made after all"(play) {
    const { card, order } = await paid(play);
    await wantsBack(card, "20");
    await card.page.route("**/mcp", async (route) => {
      if (!/"name":"refund"/.test(route.request().postData() ?? "")) return route.continue();
      await route.fetch();
      await route.abort();
    });
    await card.at("yes").click();
    await done(card, "Refunded");
    await card.says("Partly refunded");
    play.check("the card found it by asking", same((await refundCalls(card)).length, 1));
    play.check("the model hears of it", is((await card.host("context")).some((it) => it.includes(`of order ${order.out_trade_no} is now refunded`))));
  },

  async "a refund that is refused"(play) {
    const server = await play.server({ QFPAY_MAX_REFUND: "HKD:1000" });
    const { card } = await paid(play, { server });
    await wantsBack(card);
    await card.at("yes").click();
    await done(card, "Refused; nothing was sent");
    await card.shot("refund-refused");
    play.check("axe", (await card.violations()).join(" | "));
    play.check("in the server's words", is((await card.at("done-said").textContent()).includes("QFPAY_MAX_REFUND")));
    await card.at("close").click();
    await wantsBack(card, "10");
    await card.at("yes").click();
    await done(card, "Refunded");
    play.check("less of it goes", same((await refundCalls(card)).at(-1).amount, 1000));
  },

  async "a person says yes or no in the host"(play) {
    const server = await play.server({ QFPAY_CONFIRM: "always" });
    const yes = await paid(play, { server, person: "yes" });
    await wantsBack(yes.card, "5");
    await yes.card.at("yes").click();
    await yes.card.frame.locator("#done-detail", { hasText: "Refunding" }).waitFor();
    await yes.card.shot("refund-busy");
    await done(yes.card, "Refunded");
    play.check("the host asked twice", same((await yes.card.host("asked")).length, 2));
    await yes.card.page.evaluate(() => window.host.answer("no"));
    await yes.card.at("close").click();
    await wantsBack(yes.card, "5");
    await yes.card.at("yes").click();
    await done(yes.card, "Refused; nothing was sent");
  },

  async "opened by a refund"(play) {
    const { order } = await paid(play);
    const card = await play.open(await play.shared(), { tool: "refund" });
    await card.call({ out_trade_no: order.out_trade_no, amount: 1200 });
    await card.says("Refunded");
    await card.frame.locator("#facts", { hasText: "HKD 76.00" }).waitFor();
    await card.shot("refund-card");
    play.check("axe", (await card.violations()).join(" | "));
    play.check("it shows the refund's amount", same([await card.at("kind").textContent(), await card.at("amount").textContent()], ["Refund · WeChat Pay QR code", "HKD 12.00"]));
  },
};
