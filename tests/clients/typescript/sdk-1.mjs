// The 1.x line of the SDK, in the words that `bridge.mjs` knows.

import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

export { SSEClientTransport, StdioClientTransport, StreamableHTTPClientTransport, UnauthorizedError };

/** A client that asks by `ask`, or tells the server that it cannot. This line knows one `mode`. */
export function newClient(info, mode, ask) {
  if (mode !== "legacy") throw new Error(`1.x knows no mode ${mode}`);
  const client = new Client(info, { capabilities: ask ? { elicitation: {} } : {} });
  if (ask) client.setRequestHandler(ElicitRequestSchema, (request) => ask(request.params));
  return client;
}

/** Connects, and gives the protocol version that was agreed on, which this line tells the transport alone. */
export async function connect(client, transport) {
  let agreed = "";
  const tell = transport.setProtocolVersion?.bind(transport);
  transport.setProtocolVersion = (version) => {
    agreed = version;
    tell?.(version);
  };
  await client.connect(transport);
  return agreed;
}

export function callTool(client, params, options) {
  return client.callTool(params, undefined, options);
}

/** Gets a token for what the browser brought back. */
export function finishAuth(transport, params) {
  return transport.finishAuth(params.get("code"));
}
