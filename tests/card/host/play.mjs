// What scenes are made of: a payment, a person at the card, and two ways to say what is wrong.

export const PAYMENT = { amount: 8800, currency: "HKD", pay_type: "800201", goods_name: "Flat white" };

let orders = 0;

export const same = (got, wanted) => (JSON.stringify(got) === JSON.stringify(wanted) ? "" : `${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
export const is = (it, told = "it is not so") => (it ? "" : told);

/** A card beside a payment that was just made. */
export async function made(play, options = {}, args = {}) {
  const { server = await play.shared(), ...rest } = options;
  const card = await play.open(server, rest);
  // Without a number, the same terms again would be refused as a repeat.
  orders += 1;
  const result = await card.call({ ...PAYMENT, out_trade_no: `CARD-${orders}`, ...args });
  return { card, result, order: result.structuredContent };
}

/** The same, paid; `paid` is what it says then. */
export async function paid(play, options, args) {
  const it = await made(play, options, args);
  await it.card.says("Waiting for payment");
  await it.card.payer(it.order.qrcode, "Pay");
  await it.card.says("Paid");
  await it.card.at("refund").waitFor();
  return it;
}

/** Fills the refund form in, up to the question. */
export async function wantsBack(card, sum) {
  await card.at("refund").click();
  if (sum !== undefined) await card.at("sum").fill(sum);
  await card.at("go-on").click();
}

export const refundCalls = async (card) => (await card.heard("tools/call")).map(([, it]) => it).filter((it) => it.name === "refund").map((it) => it.arguments);
export const done = (card, words) => card.frame.locator("#done-title", { hasText: words }).waitFor();
