// Whoever looks at it: by keyboard, by ear, in their language and light, on any width.

import { same, is, made, paid, wantsBack, refundCalls, done } from "./play.mjs";

export const SCENES = {
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
    play.check("the link is there in its place", same(await fresh.at("open").textContent(), "Open link"));
    await fresh.at("copy-link").click();
    play.check("and can be read", same(await fresh.at("link").textContent(), result.structuredContent.qrcode));
    await fresh.shot("no-picture");
    await fresh.show({ content: [{ type: "text", text: JSON.stringify(result.structuredContent) }] });
    await fresh.says("Waiting");
    play.check("words are read where a host passes nothing else", same(await fresh.at("amount").textContent(), "HKD 88.00"));
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
