// Requests of somebody who stays signed in. An answer is one that says what became of the request; all else is `Later`.
import type { components } from "./wellmet.js";

type Schemas = components["schemas"];
export type Answer = { status: number; headers: Headers; body: any };

export type Login = {
  tokens: Schemas["TokenPair"] | null;
  expiresAt: number; // The access token, in milliseconds.
  userId: string;
  sessions: string[]; // The logins of this device: the changes they make are its own.
};

/** There is no connection, or the server is too busy. Nothing is lost: send the same again, after so many seconds. */
export class Later extends Error {
  constructor(reason: string, readonly seconds = 10, readonly wasAnswered = false) {
    super(reason);
  }
}

/** The login is over: call `signIn`. What waits in the outbox is sent afterwards. */
export class SignedOut extends Error {}

export class Connection {
  constructor(
    private readonly url: string,
    private readonly send: typeof fetch,
    private readonly login: Login,
    private readonly save: () => void,
  ) {}

  /** Stores nothing itself: what is stored may be of another user. */
  async signIn(email: string, password: string) {
    const answer = await this.exchange("POST", "/v1/auth/login", { email, password });
    if (answer.status !== 200) throw new Error(answer.body.detail);
    const account: Schemas["LoggedIn"] = answer.body;
    if (this.login.userId !== account.user.id) this.login.sessions = [];
    this.login.userId = account.user.id;
    this.hold(account);
    this.login.sessions.push(account.session_id);
  }

  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    if (Date.now() > this.login.expiresAt - 30_000) await this.refresh();
    const answer = await this.exchange(method, path, body, headers);
    if (answer.status !== 401) return answer;
    await this.refresh();
    const second = await this.exchange(method, path, body, headers);
    if (second.status === 401) throw new SignedOut(second.body.detail);
    return second;
  }

  private async refresh() {
    const { refresh_token } = this.login.tokens ?? { refresh_token: "" };
    const exchange = () => this.exchange("POST", "/v1/auth/refresh", { refresh_token });
    // If the answer is lost, the same request gets the same token again for 30 seconds.
    const answer = await exchange().catch((error: Later) => (error.wasAnswered ? Promise.reject(error) : exchange()));
    if (answer.status !== 200) throw new SignedOut(answer.body.detail);
    this.hold(answer.body);
    this.save(); // Before it is used: the one before it is spent.
  }

  private hold({ access_token, refresh_token, expires_in, token_type }: Schemas["TokenPair"]) {
    this.login.tokens = { access_token, refresh_token, expires_in, token_type };
    this.login.expiresAt = Date.now() + expires_in * 1000;
  }

  private async exchange(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const all = new Headers(headers);
    if (!path.startsWith("/v1/auth/")) all.set("Authorization", `Bearer ${this.login.tokens?.access_token}`);
    if (body !== undefined) all.set("Content-Type", "application/json");
    // Short enough for a refresh that is not answered to be repeated in time.
    const signal = AbortSignal.timeout(path.startsWith("/v1/auth/") ? 10_000 : 30_000);
    const request = { method, headers: all, body: JSON.stringify(body), signal };
    let response, text;
    try {
      response = await this.send(this.url + path, request);
      text = await response.text();
    } catch (error) {
      throw new Later(`No answer: ${error}`);
    }
    const { status, headers: received } = response;
    const seconds = Number(received.get("Retry-After")) || 10;
    if (status === 429 || status >= 500) throw new Later(`The server answers with ${status}.`, seconds, true);
    try {
      return { status, headers: received, body: text ? JSON.parse(text) : null };
    } catch {
      // A proxy may refuse what is too large before the server does.
      if (status === 413) return { status, headers: received, body: { code: "body_too_large", detail: "It is too large." } };
      throw new Later("Something else answers, such as the login page of a public network.");
    }
  }
}
