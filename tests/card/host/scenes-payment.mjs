// How a payment goes, from the call to its end.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PAYMENT, same, is, made, wantsBack, done } from "./play.mjs";

const OPERATOR = { username: "boss", password: "a long password of the tests" };

export const SCENES = {
  async "the server's side"(play) {
    const card = await play.open(await play.shared(), {});
    const lacking = await card.inner.evaluate(() => {
      const parts = (it) => it.split("|").length;
      const keys = [...document.scripts].at(-1).textContent.matchAll(/\bt\("([\w.]+)"/g);
      const broken = Object.entries(WORDS).filter(([, row]) => row.length !== 3 || !row.every(Boolean) || new Set(row.map(parts)).size !== 1);
      return [...broken.map(([key]) => key), ...[...keys].map(([, key]) => key).filter((key) => !(key in WORDS))];
    });
    play.check("all words are there in all languages", same(lacking, []));
    const { capabilities } = card.agreed;
    play.check("the extension is advertised", same(capabilities.extensions?.["io.modelcontextprotocol/ui"], { mimeTypes: ["text/html;profile=mcp-app"] }));
    play.check("the page is one of the profile", same(card.served.mimeType, "text/html;profile=mcp-app"));
    play.check("it asks for no domain and no permission", is(Object.values(card.served.meta.ui.csp).every((it) => it.length === 0) && !card.served.meta.ui.permissions));
    const listed = await card.page.evaluate(async () => (await window.host.client.listResources()).resources.map((it) => it.uri));
    play.check("it is among the resources", is(listed.includes(card.served.uri)));
    const missing = await card.page.evaluate(() => window.host.client.readResource({ uri: "ui://qfpay/other.html" }).then(() => "", (it) => it.message));
    play.check("another is not found", is(/there is no resource/.test(missing), missing));
    await card.says("One moment");
    await card.shot("before");
  },

  async pays(play) {
    const { card, order } = await made(play);
    await card.says("Waiting for payment");
    await card.shot("pending");
    play.check("axe, pending", (await card.violations()).join(" | "));
    play.check("the picture is named", same(await card.at("qr").getAttribute("alt"), `QR code to pay HKD 88.00, order ${order.out_trade_no}`));
    play.check("the time runs", is(/Expires in (30:00|29:5\d)/.test(await card.at("time").textContent())));
    play.check("the environment is named", same(await card.at("environment").textContent(), "Simulator · no real money"));
    play.check("the wallet is named", same(await card.at("kind").textContent(), "Payment · WeChat Pay QR code"));
    await card.inner.evaluate(() => { window.stayed = true; });
    await card.payer(order.qrcode, "Pay");
    await card.says("Paid");
    await card.at("refund").waitFor();
    await card.shot("paid");
    play.check("without a reload", is(await card.inner.evaluate(() => window.stayed)));
    play.check("the code is gone", is(await card.at("pay").isHidden()));
    play.check("axe, paid", (await card.violations()).join(" | "));
    play.check("the model hears of it, once", same(await card.host("context"), [`Payment card: Order ${order.out_trade_no} is now paid (HKD 88.00).`]));
  },

  async fails(play) {
    const { card, order } = await made(play);
    await card.payer(order.qrcode, "Fail");
    await card.says("Payment failed");
    await card.shot("failed");
    play.check("axe", (await card.violations()).join(" | "));
    play.check("it says why", is((await card.at("facts").textContent()).includes("Reason")));
    play.check("no refund is offered", is(await card.at("refund").isHidden()));
    await card.change({ locale: "zh-HK" });
    play.check("why, in the reader's language", is(/原因.*失敗|原因.*交易/.test(await card.at("facts").textContent()), await card.at("facts").textContent()));
  },

  async expires(play) {
    const { card, order } = await made(play);
    await card.payer(order.qrcode, "Expire");
    await card.says("Expired");
    await card.shot("expired");
    play.check("axe", (await card.violations()).join(" | "));
  },

  async "the time runs out"(play) {
    const { card, result } = await made(play);
    const ends = (seconds) => ({ ...result, structuredContent: { ...result.structuredContent, expires_at: new Date(Date.now() + seconds * 1000).toISOString() } });
    await card.show(ends(60));
    await card.frame.locator("#spoken", { hasText: "One minute left" }).waitFor({ state: "attached" });
    await card.show(ends(2));
    await card.frame.locator("#detail", { hasText: "Time is up" }).waitFor();
    play.check("its code is not shown any more", is(await card.at("qr").isHidden()));
    play.check("it does not say that it is not paid", same(await card.at("title").textContent(), "Waiting for payment"));
    await card.shot("time-is-up");
  },

  async "a payment in doubt"(play) {
    const card = await play.open(await play.shared(), {});
    await card.page.route("**/mcp", (route) => (/wait_for_payment|query_transaction/.test(route.request().postData() ?? "") ? route.abort() : route.continue()));
    const result = await card.call({ ...PAYMENT, amount: 10_502 });
    await card.says("Result not known yet");
    await card.frame.locator("#trouble-text", { hasText: "trying again" }).waitFor();
    await card.shot("in-doubt");
    play.check("axe", (await card.violations()).join(" | "));
    play.check("it does not say that it is not paid", is(!/not paid|unpaid|failed/i.test(await card.at("status").textContent())));
    await card.at("retry").waitFor({ timeout: 60_000 });
    await card.shot("stopped");
    play.check("axe, stopped", (await card.violations()).join(" | "));
    const before = (await card.heard("tools/call")).length;
    play.check("it gives up after some tries", is(before >= 5 && before <= 8, before));
    await card.page.unroute("**/mcp");
    await card.at("retry").click();
    await card.says("Waiting for payment");
    play.check("the doubt is settled by asking, not by paying", is(!(await card.heard("tools/call")).some(([, it]) => it.name === "create_payment"), result.structuredContent.status));
  },

  async "a call that is refused"(play) {
    const card = await play.open(await play.shared(), {});
    await card.call({ ...PAYMENT, pay_type: "999999" });
    await card.says("Refused; nothing was sent");
    await card.shot("refused");
    play.check("axe", (await card.violations()).join(" | "));
    play.check("in the server's words", is((await card.at("said").textContent()).includes("is no pay type")));
    play.check("what was wanted is shown", same(await card.at("amount").textContent(), "HKD 88.00"));
    await card.show({ content: [{ type: "text", text: "The result is unknown: the ledger failed." }], isError: true });
    await card.says("No clear answer");
  },

  async "a person approves elsewhere"(play) {
    const operator = spawnSync(play.binary, ["operator", OPERATOR.username], { input: `${OPERATOR.password}\n`, encoding: "utf8" });
    const folder = mkdtempSync(join(tmpdir(), "qfpay-card-"));
    const file = join(folder, "operators");
    writeFileSync(file, operator.stdout, { mode: 0o600 });
    const server = await play.server({ QFPAY_CONFIRM: "always", QFPAY_OPERATORS_FILE: file });
    rmSync(folder, { recursive: true });
    const { card, order } = await made(play, { server }, { out_trade_no: undefined });
    await card.says("A person has to approve it");
    await card.shot("needs-approval");
    play.check("axe", (await card.violations()).join(" | "));
    const facts = await card.at("facts").textContent();
    play.check("the code is shown", is(facts.includes(order.approval_code), facts));
    play.check("nothing is asked meanwhile", same((await card.heard("tools/call")).length, 0));
    const approve = async (code) => {
      const boss = await play.person(OPERATOR);
      await boss.goto(`${server.url}/approve/${code}`);
      await boss.getByRole("button", { name: "Approve" }).click();
      await boss.waitForLoadState();
      await boss.context().close();
    };
    await approve(order.approval_code);
    await card.at("again").click();
    await card.says("Waiting for payment");
    const [, call] = (await card.heard("tools/call"))[0];
    play.check("the same call again, with its number", same(call, { name: "create_payment", arguments: { ...PAYMENT, out_trade_no: order.out_trade_no } }));
    await card.payer(await card.inner.evaluate(() => document.getElementById("link").textContent || order.link), "Pay");
    await card.says("Paid");
    await wantsBack(card, "8");
    await card.at("yes").click();
    await done(card, "A person has to approve the refund");
    await card.shot("refund-needs-approval");
    play.check("axe, refund", (await card.violations()).join(" | "));
    const how = await card.at("done-detail").textContent();
    play.check("it says how", is(/^Nothing was sent yet. Open http.* or run qfpay-mcp approve \w+ in a terminal, before 20.*Then go on here.$/.test(how), how));
    const code = /approve\/([A-Z0-9-]+)/i.exec(how)[1];
    await approve(code);
    await card.at("repeat").click();
    await done(card, "Refunded");
  },

  async "in both eras"(play) {
    for (const mode of ["legacy", "auto"]) {
      const { card, order } = await made(play, { mode });
      await card.says("Waiting");
      await card.payer(order.qrcode, "Pay");
      await card.says("Paid");
      play.check(card.agreed.version, is(true));
    }
  },

  async "a card is paid on the checkout page"(play) {
    const { card, order } = await made(play, {}, { pay_type: "802801", return_url: "https://shop.example/thanks", notify_url: "https://shop.example/qfpay" });
    await card.says("Waiting for the payer");
    await card.shot("awaiting-payer");
    play.check("axe", (await card.violations()).join(" | "));
    play.check("the page can be opened", same(await card.at("open").textContent(), "Open checkout page"));
    const tab = await card.context.newPage();
    await tab.route("https://shop.example/**", (route) => route.fulfill({ body: "Thank you" }));
    await tab.goto(order.pay_url);
    await tab.getByRole("button", { name: "Pay" }).click();
    await card.says("Paid");
    await tab.close();
  },
};
