// Hosts that do less, go away, or say what they should not.

import { same, is, made } from "./play.mjs";

export const SCENES = {
  async "a host that lets it do nothing"(play) {
    const { card } = await made(play, { capabilities: {} });
    await card.says("Waiting for payment");
    await card.frame.locator("#trouble-text", { hasText: "Ask the assistant" }).waitFor();
    await card.shot("no-tools");
    play.check("axe", (await card.violations()).join(" | "));
    play.check("nothing is called", same((await card.heard("tools/call")).length, 0));
    play.check("no link is opened for it", is(await card.at("open").isHidden()));
  },

  async "a card that is put away"(play) {
    const { card, order } = await made(play);
    await card.says("Waiting");
    await card.until(async () => (await card.heard("tools/call")).length === 1);
    const answer = await card.page.evaluate(() => window.host.bridge.teardownResource({}));
    play.check("it says yes", same(answer, {}));
    play.check("it takes back its question", same((await card.heard("notifications/cancelled")).length, 1));
    await card.payer(order.qrcode, "Pay");
    const found = await card.beside("query_transaction", { out_trade_no: order.out_trade_no });
    play.check("it asks no more", same([found.structuredContent.orders[0].status, (await card.heard("tools/call")).length], ["paid", 1]));
  },

  async "a card that is not seen"(play) {
    const { card, order } = await made(play);
    await card.says("Waiting");
    const hide = (hidden) => card.inner.evaluate((it) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => it });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
    await hide(true);
    await card.payer(order.qrcode, "Pay");
    await card.says("Paid");
    const before = (await card.heard("tools/call")).length;
    await hide(false);
    await card.until(async () => (await card.heard("tools/call")).length > before);
    play.check("it looks again when it is seen", is(true));
  },

  async "messages that are none"(play) {
    const { card, order } = await made(play);
    await card.says("Waiting");
    const base = { jsonrpc: "2.0" };
    for (const message of [
      null, 1, "x", [], {}, { jsonrpc: "1.0", method: "ping", id: 1 }, base, { ...base, id: 1 }, { ...base, id: 1, result: null }, { ...base, id: 2, error: 7 },
      { ...base, id: {}, method: "ping" }, { ...base, method: 7 }, { ...base, method: "__proto__" }, { ...base, id: "p", method: "constructor" }, { ...base, method: "toString" },
      { ...base, method: "ui/notifications/tool-result" }, { ...base, method: "ui/notifications/tool-result", params: 7 },
      { ...base, method: "ui/notifications/tool-result", params: { content: "x", structuredContent: [] } },
      { ...base, method: "ui/notifications/tool-result", params: { content: [null, 7, { type: "image", mimeType: "image/png", data: {} }], structuredContent: { status: {}, refunds: [1, null, {}], expires_at: {} } } },
      { ...base, method: "ui/notifications/tool-input", params: { arguments: "x" } },
      { ...base, method: "ui/notifications/host-context-changed", params: { theme: {}, locale: 7, styles: { variables: { "--a": 1, x: "y" } }, timeZone: "Nowhere/At_All" } },
    ]) await card.raw(message);
    await card.raw({ ...base, id: "ours", method: "ping" });
    await card.until(() => card.page.evaluate(() => window.host.answers.some((it) => it.id === "ours" && JSON.stringify(it.result) === "{}")));
    const unknown = await card.page.evaluate(() => window.host.answers.find((it) => it.id === "p"));
    play.check("an unknown request is told so", same(unknown?.error?.code, -32601));
    await card.payer(order.qrcode, "Pay");
    await card.show({ content: [], structuredContent: order });
    await card.says("Paid");
    play.check("it goes on", is(true));
    const stranger = await card.inner.evaluate(() => new Promise((told) => {
      addEventListener("message", () => setTimeout(() => told(document.getElementById("title").textContent)), { once: true });
      window.postMessage({ jsonrpc: "2.0", method: "ui/notifications/tool-cancelled", params: {} }, "*");
    }));
    play.check("only the host is heard", same(stranger, "Paid"));
  },

  async "hostile words"(play) {
    const card = await play.open(await play.shared(), {});
    const evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
    const reply = Object.fromEntries(["out_trade_no", "environment", "amount_text", "pay_type", "syssn", "respcd", "respcd_meaning", "expires_at", "approval_code", "problem", "warning", "paid_at", "left_text", "currency", "next_step"].map((it) => [it, evil]));
    await card.page.evaluate((it) => window.host.input({ goods_name: it, amount: 1, currency: it }), evil);
    const count = () => card.inner.evaluate(() => document.querySelectorAll("img, script, iframe, a").length);
    const before = await count();
    for (const [status, more] of [["pending", { qrcode: `javascript:${evil}` }], [evil, {}], ["failed", {}], ["needs_approval", {}], ["paid", { refunds: [{ status: evil, amount_text: evil, refund_no: evil }] }], ["refunded", { refund_no: evil }]]) {
      await card.show({ content: [], structuredContent: { ...reply, status, ...more } });
      if (status === "pending") play.check("no link but one of the web is opened", is(await card.at("open").isHidden()));
      play.check(`${status.slice(0, 20)}: words stay words`, same(await count(), before));
    }
    await card.show({ content: [{ type: "text", text: evil }], isError: true });
    play.check("a refusal, too", same([await count(), await card.at("said").textContent()], [before, evil]));
    play.check("nothing ran", is(!(await card.inner.evaluate(() => document.title)).includes("owned")));
    play.check("nothing is cut", same(await card.overflow(), 0));
    await card.shot("hostile");
    const created = await made(play, {}, { goods_name: "<b>5 & \"six\"</b>" });
    await created.card.says("Waiting");
    play.check("an order's name, through the server", same(await created.card.at("goods").textContent(), "<b>5 & \"six\"</b>"));
  },
};
