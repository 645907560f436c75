// How a client gets a token where the server wants one: its registration, its tokens, and the person's browser,
// which an authorization server for tests sends back at once. Both lines of the SDK take it as `authProvider`.

const REDIRECT_URL = "http://127.0.0.1:1/callback"; // Nobody listens: the browser stops short of it.
const REDIRECTS = 10;

export class SignIn {
  redirectUrl = REDIRECT_URL;
  clientMetadata = {
    client_name: "A client of the tests",
    redirect_uris: [REDIRECT_URL],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  #client;
  #discovered;
  #tokens;
  #verifier;
  #asked;

  /** `token`, if the client has one already. */
  constructor(token) {
    if (token) this.#tokens = { access_token: token, token_type: "Bearer" };
  }

  state = () => "a-state-of-the-tests";
  clientInformation = () => this.#client;
  saveClientInformation = (client) => void (this.#client = client);
  tokens = () => this.#tokens;
  saveTokens = (tokens) => void (this.#tokens = tokens);
  codeVerifier = () => this.#verifier;
  discoveryState = () => this.#discovered;
  saveDiscoveryState = (state) => void (this.#discovered = state);
  saveCodeVerifier = (verifier) => void (this.#verifier = verifier);
  redirectToAuthorization = (url) => void (this.#asked = url);

  /** Lets the person consent, and gives what the browser brings back. */
  async consent() {
    const cookies = new Map();
    let url = this.#asked;
    for (let step = 0; step < REDIRECTS; step += 1) {
      if (url.href.startsWith(REDIRECT_URL)) return broughtBack(url);
      const cookie = [...cookies].map((it) => it.join("=")).join("; ");
      const answer = await fetch(url, { redirect: "manual", headers: { cookie } });
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        cookies.set(name, value);
      }
      const next = answer.headers.get("location");
      if (!next) throw new Error(`${url.pathname} answered ${answer.status}: ${await answer.text()}`);
      url = new URL(next, url);
    }
    throw new Error(`still at ${url.pathname} after ${REDIRECTS} redirects`);
  }
}

function broughtBack({ searchParams }) {
  if (!searchParams.get("code")) throw new Error(`no code came back: ${searchParams}`);
  return searchParams;
}
