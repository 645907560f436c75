// The 2.x line of the SDK, in the words that `bridge.mjs` knows.

import {
  Client, SSEClientTransport, StreamableHTTPClientTransport, UnauthorizedError,
} from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

export { SSEClientTransport, StdioClientTransport, StreamableHTTPClientTransport, UnauthorizedError };

/**
 * A client that asks by `ask`, or tells the server that it cannot. With the mode `auto` it asks
 * `server/discover` first, with `legacy` it starts with `initialize`.
 */
export function newClient(info, mode, ask) {
  const client = new Client(info, {
    capabilities: ask ? { elicitation: { form: {} } } : {},
    versionNegotiation: { mode },
  });
  if (ask) client.setRequestHandler("elicitation/create", (request) => ask(request.params));
  return client;
}

/** Connects, and gives the protocol version that was agreed on. */
export async function connect(client, transport) {
  await client.connect(transport);
  return client.getNegotiatedProtocolVersion();
}

export function callTool(client, params, options) {
  return client.callTool(params, options);
}

/** One round of a call, which `callTool` would go through by itself. */
export function round(client, params, options) {
  return client.request({ method: "tools/call", params }, { ...options, allowInputRequired: true });
}

/** Gets a token for what the browser brought back. */
export function finishAuth(transport, params) {
  return transport.finishAuth(params);
}
