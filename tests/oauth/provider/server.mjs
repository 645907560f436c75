// A real authorization server on loopback, for tests alone: whoever comes is logged in and consents at once,
// and a control route rotates its keys and signs what no authorization server would.
//
//   node server.mjs [PATH] [WELL_KNOWN]
//
// PATH (`/realms/shop`) is the path of its issuer. WELL_KNOWN is the one place where it describes itself, in the
// words of RFC 8414 (`oauth-authorization-server`) or of OpenID Connect (`openid-configuration`); both without it.
//
// Prints {"issuer": URL} once it listens. POST /control/rotate replaces all keys. POST /control/mint takes
// {"alg", "kid", "typ", "key", "claims"} and gives {"token"}: `alg` is one of those below, `none`, or `HS256`
// with the public key as its secret; `key` is `own` or a `stranger`'s. GET /control/seen gives how often the
// keys were fetched.

import { createServer } from "node:http";
import * as jose from "jose";
import { Provider } from "oidc-provider";

const [path = "", wellKnown = ""] = process.argv.slice(2);
const SCOPES = ["qfpay:read", "qfpay:pay", "qfpay:refund"];
const ALGORITHMS = ["RS256", "ES256"];
const TOKEN_SECONDS = 600;
const WELL_KNOWN = ["oauth-authorization-server", "openid-configuration"];

// What each client is for is in `drive.py`; the secret protects nothing.
const service = (id, more) => ({
  client_id: id, client_secret: "a-secret-of-the-tests", grant_types: ["client_credentials"],
  redirect_uris: [], response_types: [], ...more,
});
const clients = [
  service("till"), service("till-2"), service("till-es256", { token_alg: "ES256" }),
  service("till-east", { qfpay_profile: "east" }), service("till-nowhere", { qfpay_profile: "nowhere" }),
];

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${server.address().port}`;
const issuer = origin + path;

let generation = 0;
let keys = {};
let strangers = {};
let provider;
let fetched = 0;
await rotate();
strangers = await newKeys("stranger");

server.on("request", (request, response) => {
  handle(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end(String(error));
  });
});
console.log(JSON.stringify({ issuer }));

async function handle(request, response) {
  const url = new URL(request.url, origin);
  switch (`${request.method} ${url.pathname}`) {
    case "POST /control/rotate":
      await rotate();
      return answer(response, { generation });
    case "POST /control/mint":
      return answer(response, { token: await mint(await bodyOf(request)) });
    case "GET /control/seen":
      return answer(response, { keysFetched: fetched });
  }
  // RFC 8414 puts the path of an issuer behind the place that is well known.
  const [, first, place, rest] = /^\/(\.well-known)\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? [];
  let route = url.pathname;
  if (first && place === WELL_KNOWN[0] && (rest ?? "") === path) route = `${path}/${first}/${place}`;
  const hidden = wellKnown && WELL_KNOWN.some((it) => it !== wellKnown && route.endsWith(`/${it}`));
  if (!route.startsWith(`${path}/`) || hidden) return response.writeHead(404).end();
  if (route === `${path}/jwks`) fetched += 1;
  // Below a path the provider finds its own part in `url`, and the whole in `originalUrl`.
  request.originalUrl = route + url.search;
  request.url = route.slice(path.length) + url.search;
  if (request.url.startsWith("/interaction/")) return consent(request, response);
  return provider.callback()(request, response);
}

function answer(response, body) {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function bodyOf(request) {
  return JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString());
}

/** The person, whoever it is, logs in as ada and consents to all that is asked for. */
async function consent(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    return provider.interactionFinished(request, response, { login: { accountId: "ada" } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  for (const resource of [params.resource ?? []].flat()) grant.addResourceScope(resource, params.scope);
  const grantId = await grant.save();
  return provider.interactionFinished(request, response, { consent: { grantId } });
}

async function newKeys(name) {
  const pairs = {};
  for (const alg of ALGORITHMS) {
    const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true });
    pairs[alg] = { kid: `${name}-${alg}`, privateKey, publicKey };
  }
  return pairs;
}

/** All new, none of the old ones left. What was registered is forgotten, too. */
async function rotate() {
  generation += 1;
  keys = await newKeys(`key-${generation}`);
  const own = Object.entries(keys).map(async ([alg, { kid, privateKey }]) => (
    { ...(await jose.exportJWK(privateKey)), kid, alg, use: "sig" }
  ));
  provider = newProvider(await Promise.all(own));
}

function newProvider(jwks) {
  const made = new Provider(issuer, {
    clients,
    jwks: { keys: jwks },
    // Named here, too, so that a client that registers may name them.
    scopes: ["openid", "offline_access", ...SCOPES],
    cookies: { keys: ["a-secret-of-the-tests"] },
    // `token_alg`: what the tokens of a client are signed with.
    extraClientMetadata: { properties: ["qfpay_profile", "token_alg"] },
    extraTokenClaims: (context) => ({ qfpay_profile: context.oidc.client.qfpay_profile }),
    findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (context, { uid }) => `${path}/interaction/${uid}` },
    pkce: { required: () => true },
    issueRefreshToken: (context, client) => client.grantTypeAllowed("refresh_token"),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (context, client, oneOf) => oneOf,
        getResourceServerInfo: (context, resource, client) => ({
          scope: SCOPES.join(" "), audience: resource, accessTokenTTL: TOKEN_SECONDS, accessTokenFormat: "jwt",
          jwt: { sign: { alg: client.token_alg ?? "RS256" } },
        }),
      },
    },
  });
  made.on("server_error", (context, error) => console.error(error));
  return made;
}

/** A token with just these claims, whoever may have signed it. */
async function mint({ alg = "RS256", kid, typ = "at+jwt", key = "own", claims }) {
  const header = { alg, typ };
  if (alg === "none") {
    const parts = [header, claims].map((it) => jose.base64url.encode(JSON.stringify(it)));
    return `${parts.join(".")}.`;
  }
  const pair = (key === "own" ? keys : strangers)[alg === "HS256" ? "RS256" : alg];
  // A stranger names our key, as a forger would.
  header.kid = kid ?? keys[alg === "HS256" ? "RS256" : alg].kid;
  const secret = alg === "HS256" ? Buffer.from(await jose.exportSPKI(pair.publicKey)) : pair.privateKey;
  return new jose.SignJWT(claims).setProtectedHeader(header).sign(secret);
}
