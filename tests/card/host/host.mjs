// A host as chat clients are: an MCP client over HTTP, and beside each tool result that names one, a card in a
// sandbox, spoken to through the official AppBridge. The tests drive it through `window.host`.

import { AppBridge, PostMessageTransport, getToolUiResourceUri } from "@modelcontextprotocol/ext-apps/app-bridge";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const EXTENSION = { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } };

let pings = 0;

const host = {
  /** What the card said: [method, params, id] of each message, in order. */
  heard: [],
  context: [],
  links: [],
  sizes: [],
  asked: [],
  /** What the card answered. */
  answers: [],

  /** A client of the server at `url`; `person` is what a person answers who is asked, if one is there. */
  async connect(url, { person, mode = "auto" } = {}) {
    host.person = person;
    const capabilities = { extensions: EXTENSION, ...(person ? { elicitation: { form: {} } } : {}) };
    host.client = new Client({ name: "card-host", version: "1" }, { capabilities, versionNegotiation: { mode } });
    if (person) host.client.setRequestHandler("elicitation/create", async ({ params }) => {
      host.asked.push(params);
      // The server takes a yes within a second for a machine's.
      await new Promise((done) => setTimeout(done, 1100));
      return host.person === "yes" ? { action: "accept", content: { answer: "yes" } } : { action: "decline" };
    });
    await host.client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)));
    host.tools = (await host.client.listTools()).tools;
    return { capabilities: host.client.getServerCapabilities(), version: host.client.getNegotiatedProtocolVersion() };
  },

  /** Shows the card of `tool`; what the tool answers comes with `call` or `show`. */
  async open(tool, { context = {}, capabilities } = {}) {
    const row = host.tools.find((it) => it.name === tool);
    const uri = getToolUiResourceUri(row);
    const { contents: [page] } = await host.client.readResource({ uri });
    const outer = document.createElement("iframe");
    outer.id = "sandbox";
    outer.title = "Payment";
    outer.setAttribute("sandbox", "allow-scripts allow-same-origin");
    const all = { openLinks: {}, serverTools: {}, updateModelContext: { text: {} } };
    const hostContext = { theme: "light", locale: "en-HK", timeZone: "Asia/Hong_Kong", displayMode: "inline", platform: "web", toolInfo: { tool: row }, ...context };
    const bridge = new AppBridge(host.client, { name: "card-host", version: "1" }, capabilities ?? all, { hostContext });
    bridge.onsizechange = ({ height }) => { host.sizes.push(height); outer.style.height = `${height + 2}px`; };
    bridge.onopenlink = async ({ url }) => { host.links.push(url); return {}; };
    bridge.onupdatemodelcontext = async ({ content }) => { host.context.push(content[0].text); return {}; };
    const initialized = new Promise((done) => { bridge.oninitialized = done; });
    const ready = new Promise((done) => { bridge.onsandboxready = done; });
    document.body.append(outer);
    await bridge.connect(new PostMessageTransport(outer.contentWindow, outer.contentWindow));
    outer.src = window.SANDBOX;
    await ready;
    await bridge.sendSandboxResourceReady({ html: page.text, csp: page._meta.ui.csp });
    await initialized;
    Object.assign(host, { bridge, outer, tool, page });
    return { uri, mimeType: page.mimeType, meta: page._meta };
  },

  /** Calls the card's tool as a model would, and shows the result. */
  async call(args) {
    await host.input(args);
    const result = await host.client.callTool({ name: host.tool, arguments: args });
    await host.show(result);
    return result;
  },

  /** From now on a person who is asked says this. */
  answer: (word) => { host.person = word; },

  /** Takes the card away without a word. */
  async close() {
    await host.bridge.close();
    host.outer.remove();
  },

  /** What the tool was called with. */
  async input(args) {
    await host.bridge.sendToolInput({ arguments: args });
    await host.taken();
  },

  async show(result) {
    await host.bridge.sendToolResult(result);
    await host.taken();
  },

  /** A message to the card that no bridge would send. */
  raw: (message) => host.outer.contentWindow.postMessage(message, "*"),

  /** Changes what the card is told of its surroundings. */
  async change(context) {
    document.body.classList.toggle("dark", context.theme === "dark");
    await host.bridge.sendHostContextChange(context);
    await host.taken();
  },

  /** Until the card has taken in all it was sent: messages keep their order, and a ping is answered. */
  taken() {
    const id = `ping-${pings += 1}`;
    return new Promise((done, failed) => {
      const patience = setTimeout(() => failed(new Error("the card does not answer a ping")), 20_000);
      addEventListener("message", function answer({ source, data }) {
        if (source !== host.outer.contentWindow || data?.id !== id) return;
        removeEventListener("message", answer);
        clearTimeout(patience);
        done();
      });
      host.raw({ jsonrpc: "2.0", id, method: "ping" });
    });
  },
};

addEventListener("message", ({ source, data }) => {
  if (source !== host.outer?.contentWindow) return;
  if (data?.method) host.heard.push([data.method, data.params, data.id]);
  else host.answers.push(data);
});

window.host = host;
