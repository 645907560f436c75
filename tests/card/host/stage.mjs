// The stage for the scenes: qfpay-mcp with its simulator, the host's page in Chromium, and watchers that see what
// must never happen. Knows no scene.

import { spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";

const PATIENCE = 20_000; // longer than anything here takes on a busy machine
const OURS = "net::ERR_FAILED"; // a request that a scene lets fail
const SIZE = { width: 640, height: 1000 };
const CHROMIUM = [
  "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Runs `qfpay-mcp http` with `rules`, open to pages of `origin`. */
async function serverOf(binary, origin, rules) {
  const desk = mkdtempSync(join(tmpdir(), "qfpay-card-"));
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("QFPAY_"));
  const env = {
    ...Object.fromEntries(kept), HOME: desk, QFPAY_ENV: "simulator", QFPAY_STATE_DIR: desk, QFPAY_PACE: "off",
    QFPAY_SIMULATOR_PAYER_SECONDS: "never", QFPAY_ALLOWED_ORIGINS: origin, ...rules,
  };
  const child = spawn(binary, ["http", "--bind", `127.0.0.1:${await freePort()}`], { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  const url = await new Promise((resolve, reject) => {
    child.stderr.on("data", (data) => {
      said += data;
      const ready = / on (http:[^ ]+): /.exec(said);
      if (ready) resolve(ready[1]);
    });
    child.once("exit", (code) => reject(new Error(`the server left with ${code}: ${said}`)));
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return {
    url,
    async end() {
      child.kill();
      await ended;
      rmSync(desk, { recursive: true, force: true });
    },
  };
}

/** Everything, until `end`. */
export async function raise(binary, shots) {
  mkdirSync(shots, { recursive: true });
  const pages = await serve();
  const browser = await chromium.launch({ executablePath: process.env.CARD_CHROMIUM, headless: true, chromiumSandbox: false, args: CHROMIUM });
  const servers = [];
  let plain;
  const server = async (rules) => {
    const started = await serverOf(binary, pages.host, rules);
    servers.push(started);
    return started;
  };
  return {
    /** A server with `rules` of its own. */
    server,
    /** One without any, the same for all. */
    shared: () => (plain ??= server({})),
    /** A person in a browser of their own, who logs in with `credentials`. */
    async person(credentials) {
      const context = await browser.newContext({ httpCredentials: credentials });
      return context.newPage();
    },
    card: (server, options) => newCard({ browser, pages, shots, server, ...options }),
    async end() {
      await browser.close();
      await Promise.all(servers.map((it) => it.end()));
      pages.end();
    },
  };
}

/** A card in a browser of its own, opened beside `tool`. */
async function newCard({ browser, pages, shots, server, tool = "create_payment", width = SIZE.width, scheme = "light", person, mode, ...open }) {
  const context = await browser.newContext({ viewport: { ...SIZE, width }, colorScheme: scheme, deviceScaleFactor: 2 });
  context.setDefaultTimeout(PATIENCE);
  const seen = { requests: [], faults: [] };
  context.on("weberror", (it) => seen.faults.push(`error: ${it.error().message}`));
  context.on("console", (it) => { if (it.type() === "error" && !it.text().includes(OURS)) seen.faults.push(`console: ${it.text()}`); });
  const page = await context.newPage();
  // Of the host's page and its frames; where the payer goes is the payer's.
  page.on("request", (it) => seen.requests.push(it.url()));
  await page.goto(pages.host);
  await page.waitForFunction(() => window.host);
  const agreed = await page.evaluate(([url, options]) => window.host.connect(url, options), [server.url, { person, mode }]);
  const served = await page.evaluate(([name, options]) => window.host.open(name, options), [tool, open]);
  const frame = page.frameLocator("#sandbox").frameLocator("iframe");
  const inner = page.frames().find((it) => it.parentFrame()?.parentFrame());
  const card = {
    page, context, frame, inner, agreed, served, seen, end: () => context.close(),
    at: (id) => frame.locator(`#${id}`),
    /** Calls the card's tool as a model does. */
    call: (args) => page.evaluate((it) => window.host.call(it), args),
    show: (result) => page.evaluate((it) => window.host.show(it), result),
    /** Calls a tool beside the card. */
    beside: (name, args) => page.evaluate((it) => window.host.client.callTool(it), { name, arguments: args }),
    host: (key) => page.evaluate((it) => window.host[it], key),
    heard: async (method) => (await card.host("heard")).filter(([it]) => it === method),
    /** Waits until the card's title is one of these words. */
    says: (words) => frame.locator("#title", { hasText: words }).waitFor(),
    change: (it) => page.evaluate((context) => window.host.change(context), it),
    raw: (it) => page.evaluate((message) => window.host.raw(message), it),
    /** The payer's page behind the QR code, in a tab of its own, where `act` is pressed. */
    async payer(url, act) {
      const tab = await context.newPage();
      await tab.goto(url);
      await tab.getByRole("button", { name: act }).click();
      await tab.waitForLoadState();
      await tab.close();
    },
    async shot(name) {
      await card.inner.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      await page.waitForFunction(() => window.host.outer.offsetHeight > 60);
      await page.locator("#sandbox").screenshot({ path: join(shots, `${name}.png`), animations: "disabled" });
    },
    /** What axe finds wrong with the card as it stands. */
    async violations() {
      if (!await card.inner.evaluate(() => "axe" in window)) await card.inner.evaluate(axe);
      const { violations } = await card.inner.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      return violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.target.join(" ")).join(", ")}`);
    },
    /** Whether anything is wider than the card. */
    overflow: () => card.inner.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
    /** Requests to where nothing may go. */
    strays: () => {
      const known = [pages.host, pages.sandbox, server.url];
      return seen.requests.filter((it) => !known.some((origin) => it.startsWith(origin)) && !/^(data|about):/.test(it));
    },
    /** What a copy left. */
    async clipboard() {
      await context.grantPermissions(["clipboard-read"], { origin: pages.host });
      await page.bringToFront();
      await page.locator("body").click({ position: { x: 2, y: 2 } });
      return page.evaluate(() => navigator.clipboard.readText());
    },
    /** Waits until `holds` does. */
    async until(holds) {
      const end = Date.now() + PATIENCE;
      while (!(await holds())) {
        if (Date.now() > end) throw new Error(`never so: ${holds}`);
        await page.evaluate(() => new Promise(requestAnimationFrame));
      }
    },
    /** The same card loaded anew, as when a conversation is opened again. */
    async fresh() {
      await page.evaluate(() => window.host.close());
      await page.evaluate(([name, options]) => window.host.open(name, options), [tool, open]);
      card.inner = page.frames().find((it) => it.parentFrame()?.parentFrame());
      return card;
    },
  };
  return card;
}
