import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.ts';
import { object, type PlainObject, text } from './plain.ts';
import { frameworkError, ok, type RestAnswer } from './rest-answer.ts';

/** F5 K13225405 and "iControl REST Authentication Token Management": 20 minutes, 10 hours at most. */
const DEFAULT_SECONDS = 1_200;
const MAXIMUM_SECONDS = 36_000;
/** For each user but `admin`. */
const TOKENS_A_USER = 100;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const LOGIN = /^\/mgmt\/shared\/authn\/login$/;
const TOKENS = /^\/mgmt\/shared\/authz\/tokens(?:\/([^/]+))?$/;

/** What a call brings along to come in. */
export interface CallCredentials {
  token: string | undefined;
  authorization: string | undefined;
}

interface Token {
  name: string;
  user: string;
  seconds: number;
  startedAt: number;
  generation: number;
}

/** Users, their tokens, and who may come in with what. Tokens are a unit's own. */
export class Sessions {
  /** Name and password; tests may change them. */
  readonly users: Map<string, string>;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, Token>();

  constructor(users: Readonly<Record<string, string>>, clock: Clock) {
    this.users = new Map(Object.entries(users));
    this.#clock = clock;
  }

  /** Of tokens that are still good. */
  get size(): number {
    return [...this.#tokens.values()].filter((token) => !this.#isOver(token)).length;
  }

  /** All tokens run out, and are still known. */
  expire(): void {
    for (const token of this.#tokens.values()) token.startedAt = Number.NEGATIVE_INFINITY;
  }

  /** All tokens are unknown from now on. */
  forget(): void {
    this.#tokens.clear();
  }

  /** The user, or why not. */
  identify({ token: name, authorization }: CallCredentials): string | RestAnswer {
    if (name !== undefined) {
      const token = this.#tokens.get(name);
      if (token === undefined) return frameworkError(401, 'X-F5-Auth-Token does not exist.');
      return this.#isOver(token) ? frameworkError(401, 'X-F5-Auth-Token has expired.') : token.user;
    }
    const [, encoded] = /^Basic (.+)$/i.exec(authorization ?? '') ?? [];
    if (encoded === undefined) {
      return frameworkError(401, 'Authorization failed: no user authentication header or token detected.');
    }
    const [user = '', ...rest] = Buffer.from(encoded, 'base64').toString().split(':');
    // Apache's own page: basic authentication is checked before iControl REST sees the call.
    return this.users.get(user) === rest.join(':') ? user : { status: 401, body: UNAUTHORIZED_PAGE };
  }

  /** Answers calls that are about tokens; undefined for all others. */
  answer(method: string, path: string, body: unknown, headers: CallCredentials): RestAnswer | undefined {
    if (LOGIN.test(path)) return method === 'POST' ? this.#login(object(body)) : notAllowed(path);
    const [match, name] = TOKENS.exec(path) ?? [];
    if (match === undefined) return undefined;
    const user = this.identify(headers);
    return typeof user === 'string' ? this.#manage(method, name, user, object(body)) : user;
  }

  #login({ username, password, loginProviderName }: PlainObject): RestAnswer {
    const user = text(username);
    if (text(loginProviderName) === '') return frameworkError(400, 'loginProviderName is invalid.');
    if (this.users.get(user) !== password) return frameworkError(401, 'Authentication failed.');
    const own = [...this.#tokens.values()].filter((token) => token.user === user && !this.#isOver(token));
    if (user !== 'admin' && own.length >= TOKENS_A_USER) {
      return frameworkError(400, `user ${user} has reached maximum active login tokens`);
    }
    const token = {
      name: [...randomBytes(26)].map((byte) => ALPHABET[byte % 32]).join(''),
      user,
      seconds: DEFAULT_SECONDS,
      startedAt: this.#clock.now(),
      generation: 1,
    };
    this.#tokens.set(token.name, token);
    return ok({
      username: user,
      loginReference: { link: 'https://localhost/mgmt/cm/system/authn/providers/tmos/login' },
      loginProviderName,
      token: render(token),
      generation: 0,
      lastUpdateMicros: 0,
    });
  }

  #manage(method: string, name: string | undefined, user: string, body: PlainObject): RestAnswer {
    if (name === undefined) {
      if (method !== 'GET') return notAllowed('/mgmt/shared/authz/tokens');
      const items = [...this.#tokens.values()].filter((token) => token.user === user).map(render);
      return ok({ items, kind: 'shared:authz:tokens:authtokencollectionstate' });
    }
    const token = this.#tokens.get(name);
    if (token === undefined || token.user !== user) {
      return frameworkError(404, `https://localhost/mgmt/shared/authz/tokens/${name} not found`);
    }
    if (method === 'DELETE') this.#tokens.delete(name);
    if (method === 'PATCH' || method === 'PUT') {
      const seconds = Number(body.timeout);
      if (!Number.isInteger(seconds) || seconds <= 0) return frameworkError(400, 'Invalid timeout');
      if (seconds > MAXIMUM_SECONDS) {
        const message = `Auth-token absolute timeout (${MAXIMUM_SECONDS} seconds) exceeded`;
        return frameworkError(406, message);
      }
      token.seconds = seconds;
      token.generation++;
    }
    return ok(render(token));
  }

  #isOver({ startedAt, seconds }: Token): boolean {
    return this.#clock.now() >= startedAt + seconds * 1_000;
  }
}

const UNAUTHORIZED_PAGE =
  '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>401 F5 Authorization Required</title>\n' +
  '</head><body>\n<h1>F5 Authorization Required</h1>\n</body></html>\n';

/** `timeout` counts from the start: it's moved by PATCH, never by use. */
function render({ name, user, seconds, startedAt, generation }: Token): PlainObject {
  const from = Number.isFinite(startedAt) ? startedAt : 0;
  return {
    token: name,
    name,
    userName: user,
    authProviderName: 'tmos',
    user: { link: `https://localhost/mgmt/shared/authz/users/${user}` },
    timeout: seconds,
    startTime: new Date(from).toISOString(),
    address: '127.0.0.1',
    partition: '[All]',
    generation,
    lastUpdateMicros: from * 1_000,
    expirationMicros: (from + seconds * 1_000) * 1_000,
    kind: 'shared:authz:tokens:authtokenitemstate',
    selfLink: `https://localhost/mgmt/shared/authz/tokens/${name}`,
  };
}

function notAllowed(path: string): RestAnswer {
  return frameworkError(405, `Method not allowed for ${path}`);
}
