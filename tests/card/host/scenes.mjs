// What is played: what a person does with the card, and what must be seen then.

const PAYMENT = { amount: 8800, currency: "HKD", pay_type: "800201", goods_name: "Flat white" };

const servers = new Map();
async function server(stage, rules = {}) {
  const key = JSON.stringify(rules);
  if (!servers.has(key)) servers.set(key, await stage.server(rules));
  return servers.get(key);
}

async function made(stage, open, options = {}, args = PAYMENT) {
  const card = await open(await server(stage), options);
  const result = await card.call(args);
  return { card, result, order: result.structuredContent };
}

export const SCENES = {
  async pays({ stage, open, check }) {
    const { card, order } = await made(stage, open);
    await card.says("Waiting for payment");
    await card.shot("pending");
    check("axe", (await card.violations()).join(" | "));
    await card.payer(order.qrcode, "Pay");
    await card.says("Paid");
    await card.at("left").or(card.at("refund")).first().waitFor();
    await card.shot("paid");
    check("axe paid", (await card.violations()).join(" | "));
  },
};
