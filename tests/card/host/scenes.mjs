// What is played: what a person does with the card, and what must be seen then. Each scene has a server and
// cards of its own, or shares a server that has no rules.

import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PAYMENT = { amount: 8800, currency: "HKD", pay_type: "800201", goods_name: "Flat white" };
const OPERATOR = { username: "boss", password: "a long password of the tests" };

let orders = 0;

const same = (got, wanted) => (JSON.stringify(got) === JSON.stringify(wanted) ? "" : `${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
const is = (it, told = "it is not so") => (it ? "" : told);

/** A card beside a payment that was just made. */
async function made(play, options = {}, args = {}) {
  const { server = await play.shared(), ...rest } = options;
  const card = await play.open(server, rest);
  // Without a number, the same terms again would be refused as a repeat.
  orders += 1;
  const result = await card.call({ ...PAYMENT, out_trade_no: `CARD-${orders}`, ...args });
  return { card, result, order: result.structuredContent };
}

/** The same, paid; `paid` is what it says then. */
async function paid(play, options, args) {
  const it = await made(play, options, args);
  await it.card.says("Waiting for payment");
  await it.card.payer(it.order.qrcode, "Pay");
  await it.card.says("Paid");
  await it.card.at("refund").waitFor();
  return it;
}

/** Fills the refund form in, up to the question. */
async function wantsBack(card, sum) {
  await card.at("refund").click();
  if (sum !== undefined) await card.at("sum").fill(sum);
  await card.at("go-on").click();
}

const refundCalls = async (card) => (await card.heard("tools/call")).map(([, it]) => it).filter((it) => it.name === "refund").map((it) => it.arguments);
const done = (card, words) => card.frame.locator("#done-title", { hasText: words }).waitFor();

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

  async "a person approves elsewhere"(play) {
    const operator = spawnSync(play.binary, ["operator", OPERATOR.username], { input: `${OPERATOR.password}\n`, encoding: "utf8" });
    const file = join(mkdtempSync(join(tmpdir(), "qfpay-card-")), "operators");
    writeFileSync(file, operator.stdout, { mode: 0o600 });
    const server = await play.server({ QFPAY_CONFIRM: "always", QFPAY_OPERATORS_FILE: file });
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

  async "keyboard alone"(play) {
    const { card, order } = await paid(play);
    const focused = () => card.inner.evaluate(() => document.activeElement.id);
    await card.page.locator("#sandbox").focus();
    await card.page.keyboard.press("Tab");
    const stops = [await focused()];
    for (let at = 0; at < 5 && stops.at(-1) !== "refund"; at += 1) { await card.page.keyboard.press("Tab"); stops.push(await focused()); }
    play.check("Tab goes through it in order", same(stops, ["number-copy", "refund"]));
    const ring = await card.at("refund").evaluate((it) => getComputedStyle(it).outlineStyle);
    play.check("the focus is seen", same(ring, "solid"));
    await card.shot("focus");
    const press = async (...keys) => { for (const key of keys) await card.page.keyboard.press(key); };
    await press("Enter");
    play.check("the form takes the focus", same(await focused(), "sum"));
    await press("Escape");
    play.check("Escape leaves it, to where it was opened", same(await focused(), "refund"));
    await press("Space");
    await card.page.keyboard.type("7.5");
    await press("Enter");
    play.check("Enter asks, and presses nothing", same([await focused(), (await refundCalls(card)).length], ["question", 0]));
    await press("Escape");
    play.check("Escape goes back to the amount", same([await focused(), await card.at("sum").inputValue()], ["sum", "7.5"]));
    await press("Enter", "Tab", "Enter");
    await done(card, "Refunded");
    play.check("the answer takes the focus", same(await focused(), "done-box"));
    await press("Tab", "Enter");
    play.check("and gives it back", same(await focused(), "refund"));
    play.check("it was made", same((await refundCalls(card)).map((it) => [it.out_trade_no, it.amount]), [[order.out_trade_no, 750]]));
  },

  async "what a screen reader hears"(play) {
    const { card, order } = await made(play);
    await card.says("Waiting for payment");
    const pending = await card.frame.locator("main").ariaSnapshot();
    for (const line of ["heading \"HKD 88.00\" [level=1]", `img "QR code to pay HKD 88.00, order ${order.out_trade_no}"`, "button \"Copy Order number\"", "button \"Open link\"", "timer"]) {
      play.check(line.replace(order.out_trade_no, "…"), is(pending.includes(line), pending));
    }
    play.check("the status is a live region", is(/status:.*Waiting for payment/s.test(pending), pending));
    const changes = await card.inner.evaluate(() => new Promise((told) => {
      let count = 0;
      new MutationObserver((all) => { count += all.length; }).observe(document.getElementById("status"), { subtree: true, childList: true, characterData: true });
      const time = document.getElementById("time");
      const watch = new MutationObserver(() => { watch.disconnect(); told(count); });
      watch.observe(time, { subtree: true, childList: true, characterData: true });
    }));
    play.check("the countdown announces nothing", same(changes, 0));
    await card.payer(order.qrcode, "Pay");
    await card.at("refund").waitFor();
    await wantsBack(card);
    const sure = await card.frame.locator("main").ariaSnapshot();
    for (const line of ["heading \"Refund\" [level=2]", "button \"Give back HKD 88.00\""]) play.check(line, is(sure.includes(line), sure));
  },

  async "theme and language, live"(play) {
    const { card } = await made(play, { context: { theme: "dark", locale: "zh-HK" } });
    await card.says("等待付款");
    play.check("as it was opened", same(await card.inner.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme]), ["zh-Hant", "dark"]));
    await card.change({ theme: "dark" });
    await card.shot("pending-dark-hant");
    play.check("axe", (await card.violations()).join(" | "));
    for (const [locale, lang, words] of [["zh-CN", "zh-Hans", "等待付款"], ["zh", "zh-Hans", "等待付款"], ["zh-SG", "zh-Hans", "等待付款"], ["zh-Hant-MO", "zh-Hant", "等待付款"], ["zh-TW", "zh-Hant", "等待付款"], ["yue", "zh-Hant", "等待付款"], ["zh-Hans-HK", "zh-Hans", "等待付款"], ["fr-CH", "en", "Waiting for payment"], ["en-HK", "en", "Waiting for payment"]]) {
      await card.change({ locale });
      await card.says(words);
      play.check(locale, same(await card.inner.evaluate(() => document.documentElement.lang), lang));
    }
    await card.change({ theme: "light" });
    play.check("light again", same(await card.inner.evaluate(() => getComputedStyle(document.documentElement).backgroundColor), "rgb(255, 255, 255)"));
    const variables = { "--color-background-primary": "#fdf6e3", "--color-text-primary": "#1b1b1b", "--color-text-secondary": "#444", "--font-sans": "serif", "--evil": "url(http://127.0.0.1:9/x)" };
    await card.change({ styles: { variables } });
    play.check("the host's colours", same(await card.inner.evaluate(() => getComputedStyle(document.documentElement).backgroundColor), "rgb(253, 246, 227)"));
    await card.shot("hosted");
    play.check("axe, the host's colours", (await card.violations()).join(" | "));
    const bare = await made(play, { scheme: "dark", context: { theme: undefined } });
    await bare.card.says("Waiting");
    play.check("without a word of the host, as the system has it", same(await bare.card.inner.evaluate(() => document.documentElement.dataset.theme), "dark"));
  },

  async "narrow and wide"(play) {
    for (const width of [320 + 34, 1000]) {
      const { card, order } = await made(play, { width });
      await card.says("Waiting");
      play.check(`${width}: nothing is cut`, same(await card.overflow(), 0));
      await card.shot(`pending-${width}`);
      play.check(`${width}: axe`, (await card.violations()).join(" | "));
      await card.payer(order.qrcode, "Pay");
      await card.at("refund").waitFor();
      await card.at("refund").click();
      play.check(`${width}: the form is not cut`, same(await card.overflow(), 0));
      await card.shot(`refund-${width}`);
      const small = await card.inner.evaluate(() => [...document.querySelectorAll("button, input")].filter((it) => it.offsetParent).map((it) => [it.id, it.offsetWidth, it.offsetHeight]).filter(([, wide, high]) => wide < 24 || high < 24));
      play.check(`${width}: everything can be hit`, same(small, []));
    }
  },

  async "every state, theme and language"(play) {
    const card = await play.open(await play.shared(), { capabilities: {}, width: 354 });
    const payment = { out_trade_no: "A1", environment: "simulator", amount: 123_456_789, currency: "HKD", amount_text: "HKD 1,234,567.89", pay_type: "800201", syssn: "20261126000100020000000001", next_step: "Call query_transaction {\"out_trade_no\":\"A1\"}." };
    const more = {
      pending: { qrcode: "weixin://wxpay/bizpayurl?pr=Yd3ee0X" }, awaiting_payer: { pay_url: "https://checkout.example/?x=1" }, in_doubt: { qrcode: "weixin://wxpay/bizpayurl?pr=Yd3ee0X" }, needs_approval: { approval_code: "ABCD-1234" },
      failed: { respcd: "1205", respcd_meaning: "Transaction failed" }, expired: { status: "failed", respcd: "1181" },
      partially_refunded: { refunds: [{ status: "refunded", refund_no: "R1", amount_text: "HKD 1.00" }], left_text: "HKD 1,234,566.89" },
    };
    const states = await card.inner.evaluate(() => Object.fromEntries(["payment", "refund"].map((it) => [it, Object.keys(STATES[it])])));
    const wrong = [];
    let looked = 0;
    for (const [kind, all] of Object.entries(states)) {
      for (const status of [...all, "brand_new"]) {
        const reply = kind === "payment" ? { ...payment, status, ...more[status] } : { ...payment, status, refund_no: "R1", amount_text: "HKD 30.00", left_text: "HKD 58.00" };
        const fresh = await card.fresh();
        await fresh.show({ content: [], structuredContent: reply });
        for (const theme of ["light", "dark"]) {
          for (const locale of ["en", "zh-HK", "zh-CN"]) {
            await fresh.change({ theme, locale });
            looked += 1;
            const [title, detail] = await Promise.all(["title", "detail"].map((it) => fresh.at(it).textContent()));
            if (!title || !detail) wrong.push(`${kind} ${status} ${locale}: says nothing`);
            if (status === "in_doubt" && await fresh.at("pay").isVisible()) wrong.push("in doubt: a code to pay again is shown");
            const found = await fresh.violations();
            if (found.length) wrong.push(`${kind} ${status} ${theme} ${locale}: ${found.join(", ")}`);
            if (await fresh.overflow()) wrong.push(`${kind} ${status} ${locale}: is cut`);
            if ((theme === "dark") === (locale === "zh-HK") && locale !== "zh-CN") await fresh.shot(`states/${kind}-${status}-${locale}`);
          }
        }
      }
    }
    play.check(`axe, words and width of ${looked} looks`, wrong.join(" | "));
    play.check("what no one knows is not called unpaid", is(!/not paid|unpaid|未付/i.test(await card.at("status").textContent())));
  },

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
    await card.page.evaluate((it) => window.host.bridge.sendToolInput({ arguments: { goods_name: it, amount: 1, currency: it } }), evil);
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

  async "links and copies"(play) {
    const { card, order } = await made(play);
    await card.says("Waiting");
    await card.at("number-copy").click();
    await card.frame.locator("#number-copy", { hasText: "Copied" }).waitFor();
    play.check("the number is copied, without any permission", same(await card.clipboard(), order.out_trade_no));
    await card.at("copy-link").click();
    await card.frame.locator("#copy-link", { hasText: "Copied" }).waitFor();
    play.check("so is the link, which is shown then", same([await card.clipboard(), await card.at("link").textContent()], [order.qrcode, order.qrcode]));
    await card.at("open").click();
    await card.until(async () => (await card.host("links")).length === 1);
    play.check("the host opens it", same(await card.host("links"), [order.qrcode]));
  },

  async "without a picture"(play) {
    const { card, result } = await made(play);
    const fresh = await card.fresh();
    await fresh.show({ ...result, content: result.content.filter((it) => it.type !== "image") });
    await fresh.says("Waiting");
    play.check("the link is there in its place", same(await fresh.at("link").textContent(), result.structuredContent.qrcode));
    await fresh.shot("no-picture");
    await fresh.show({ content: [{ type: "text", text: JSON.stringify(result.structuredContent) }] });
    await fresh.says("Waiting");
    play.check("words are read where a host passes nothing else", same(await fresh.at("amount").textContent(), "HKD 88.00"));
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

  async "the size follows"(play) {
    const { card } = await paid(play);
    await card.until(async () => Math.abs((await card.host("sizes")).at(-1) - await card.inner.evaluate(() => document.documentElement.offsetHeight)) < 2);
    const before = (await card.host("sizes")).at(-1);
    await card.at("refund").click();
    await card.until(async () => (await card.host("sizes")).at(-1) > before);
    play.check("the form makes it higher", is(true));
  },
};
