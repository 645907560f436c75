// Plays every scene and says a line for each check.
//
//   node drive.mjs BINARY SHOTS [SCENE]
//
// Needs CARD_CHROMIUM. Leaves with 3 if a check failed, with 1 if something broke.

import { raise } from "./stage.mjs";
import { SCENES as host } from "./scenes-host.mjs";
import { SCENES as payment } from "./scenes-payment.mjs";
import { SCENES as people } from "./scenes-people.mjs";
import { SCENES as refund } from "./scenes-refund.mjs";

const [binary, shots, only] = process.argv.slice(2);
const stage = await raise(binary, shots);
let failed = 0;

function check(scene, what, problem) {
  const bad = problem && String(problem);
  if (bad) failed += 1;
  console.log(bad ? `FAIL  ${scene}  ${what}: ${bad}` : `ok    ${scene}  ${what}`);
}

try {
  for (const [name, play] of Object.entries({ ...payment, ...refund, ...people, ...host })) {
    if (only && !name.includes(only)) continue;
    const cards = [];
    const scene = {
      ...stage,
      binary,
      check: (what, problem) => check(name, what, problem),
      async open(server, options) {
        const card = await stage.card(server, options);
        cards.push(card);
        return card;
      },
    };
    try {
      await play(scene);
    } catch (error) {
      check(name, "plays to its end", error.message.split("\n").slice(0, 4).join(" "));
    }
    for (const card of cards) {
      check(name, "nothing goes elsewhere", card.strays().join(" "));
      check(name, "no error, no violation of a policy", card.seen.faults.join(" | "));
      await card.end();
    }
  }
} finally {
  await stage.end();
}
process.exitCode = failed ? 3 : 0;
