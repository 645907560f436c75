// What the browser loads, on two origins, as real hosts keep them apart: the host page with its libraries, and
// the sandbox in which the card runs. Both on loopback.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { dirname, join, normalize } from "node:path";

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = "/node_modules/";
const TYPES = { ".mjs": "text/javascript", ".js": "text/javascript" };

// Where browsers find what Node finds by itself.
const IMPORTS = {
  "@modelcontextprotocol/ext-apps/app-bridge": "@modelcontextprotocol/ext-apps/dist/src/app-bridge.js",
  "@modelcontextprotocol/client": "@modelcontextprotocol/client/dist/index.mjs",
  "@modelcontextprotocol/client/_shims": "@modelcontextprotocol/client/dist/shimsBrowser.mjs",
  "@modelcontextprotocol/core": "@modelcontextprotocol/core/dist/index.mjs",
  "@modelcontextprotocol/core/internal": "@modelcontextprotocol/core/dist/internal.mjs",
  "eventsource": "eventsource/dist/index.js",
  "eventsource-parser": "eventsource-parser/dist/index.js",
  "eventsource-parser/stream": "eventsource-parser/dist/stream.js",
  "pkce-challenge": "pkce-challenge/dist/index.browser.js",
  "zod/v4": "zod/v4/index.js",
};

const imports = Object.fromEntries(Object.entries(IMPORTS).map(([name, file]) => [name, MODULES + file]));

const page = (sandbox) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Host</title>
<link rel="icon" href="data:,">
<style>body{margin:0;padding:16px;background:#e9ebef}body.dark{background:#0f1115}iframe{display:block;border:1px solid #8884;border-radius:14px;width:100%;height:0}</style>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script>window.SANDBOX = ${JSON.stringify(sandbox)};</script>
<script type="module" src="/host.mjs"></script></html>`;

// The frame between host and card: it hands every message on, and lets the card reach nothing.
const frame = (host) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox</title>
<style>html,body,iframe{margin:0;width:100%;height:100%;border:0;display:block;overflow:hidden}</style>
<script>
const host = ${JSON.stringify(host)};
const inner = document.createElement("iframe");
addEventListener("message", ({ source, origin, data }) => {
  if (source === parent && origin === host) {
    if (data?.method !== "ui/notifications/sandbox-resource-ready") return inner.contentWindow.postMessage(data, "*");
    inner.title = "Payment card";
    inner.setAttribute("sandbox", "allow-scripts");
    inner.srcdoc = data.params.html;
    document.body.append(inner);
  } else if (source === inner.contentWindow) {
    parent.postMessage(data, host);
  }
});
parent.postMessage({ jsonrpc: "2.0", method: "ui/notifications/sandbox-proxy-ready", params: {} }, host);
</script><body></body></html>`;

// What a host must enforce for a card that names no domains (MCP Apps, "Content Security Policy").
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'none'";

async function answer(request, response, pages) {
  const { pathname } = new URL(request.url, "http://host");
  const html = pages[pathname];
  if (html) return response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...html.headers }).end(html.body);
  const path = normalize(pathname);
  const type = TYPES[path.slice(path.lastIndexOf("."))];
  const known = path === "/host.mjs" || path.startsWith(MODULES);
  const file = type && known && await readFile(join(HERE, path)).catch(() => null);
  if (!file) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": type }).end(file);
}

function listen(pages) {
  const server = createServer((request, response) => answer(request, response, pages));
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** Serves both; gives their origins and how to end them. */
export async function serve() {
  const pages = [{}, {}];
  const servers = await Promise.all(pages.map(listen));
  const [host, sandbox] = servers.map((it) => `http://127.0.0.1:${it.address().port}`);
  pages[0]["/"] = { body: page(`${sandbox}/`) };
  pages[1]["/"] = { body: frame(host), headers: { "content-security-policy": POLICY } };
  return { host, sandbox, end: () => servers.forEach((it) => it.close()) };
}
