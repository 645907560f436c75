// One client of the official TypeScript SDK, driven by a JSON object a line.
//
//   node bridge.mjs SETTINGS
//
// SETTINGS is JSON: `line` (1 or 2: of the SDK), `mode`, `transport`, `canAsk`, `timeout` in milliseconds, and
// `url`, or for stdio `command` and `stderr` (a file); a server on stdio gets this process's environment. With
// `signIn`, an object, the client gets a token where the server wants one; `signIn.token` is one to begin with.
// Says {"ready": PROTOCOL} or {"failed": WHY}, then answers {"id", "do", ...} with {"id", "result"} or
// {"id", "error"}. On its own it says {"stray": WHAT} for what came unasked, and {"ask", "question"} for a
// question to the person, which {"ask", "answer"} answers. Ends when stdin does.

import { openSync } from "node:fs";
import { createInterface } from "node:readline";
import { SignIn } from "./sign-in.mjs";

const settings = JSON.parse(process.argv[2]);
const sdk = await import(`./sdk-${settings.line}.mjs`);
const options = { timeout: settings.timeout };
const signIn = settings.signIn && new SignIn(settings.signIn.token);

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const reason = (error) => `${error?.name}: ${error?.message}`;

const asked = new Map();
function ask(question) {
  return new Promise((resolve) => {
    const id = asked.size;
    asked.set(id, resolve);
    say({ ask: id, question });
  });
}

function newTransport() {
  switch (settings.transport) {
    case "stdio":
      return new sdk.StdioClientTransport({
        command: settings.command, env: process.env, stderr: openSync(settings.stderr, "a"),
      });
    case "http":
      return new sdk.StreamableHTTPClientTransport(new URL(settings.url), { authProvider: signIn });
    case "sse":
      return new sdk.SSEClientTransport(new URL(settings.url), { authProvider: signIn });
  }
}

const info = { name: `typescript-${settings.line}`, version: "1.0.0" };
let client;
let transport;

async function connect() {
  client = sdk.newClient(info, settings.mode, settings.canAsk ? ask : undefined);
  client.fallbackNotificationHandler = async ({ method }) => say({ stray: method });
  // That a token is wanted is no news to a client that can get one.
  client.onerror = (error) => isUnauthorized(error) || say({ stray: reason(error) });
  transport = newTransport();
  return sdk.connect(client, transport);
}

const isUnauthorized = (error) => signIn && error instanceof sdk.UnauthorizedError;

/** Does it again with a token that the person consented to, where there was none or it was not enough. */
async function signedIn(act) {
  try {
    return await act();
  } catch (error) {
    if (!isUnauthorized(error)) throw error;
    await sdk.finishAuth(transport, await signIn.consent());
    return await act();
  }
}

const does = {
  list: async () => (await client.listTools(undefined, options)).tools,
  call: ({ params }) => signedIn(() => sdk.callTool(client, params, options)),
  resources: async () => (await client.listResources(undefined, options)).resources,
  read: async ({ params }) => (await client.readResource(params, options)).contents,
  prompt: async ({ params }) => (await client.getPrompt(params, options)).messages,
  round: ({ params }) => sdk.round(client, params, options),
};

try {
  say({ ready: await signedIn(connect) });
} catch (error) {
  say({ failed: reason(error) });
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...request } = JSON.parse(line);
  if ("ask" in request) {
    asked.get(request.ask)(request.answer);
  } else {
    does[request.do](request).then(
      (result) => say({ id, result }),
      (error) => say({ id, error: reason(error) }),
    );
  }
}
// What closing breaks off is no news.
client.onerror = undefined;
await client.close();
