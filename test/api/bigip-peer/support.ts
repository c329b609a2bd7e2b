import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { expect } from 'chai';
import { type BigIpOptions, type BigIpPeer, startBigIp } from '../../peers/bigip/bigip-peer.ts';
import { object, objects, type PlainObject, text } from '../../peers/bigip/plain.ts';
import type { Unit } from '../../peers/bigip/unit.ts';

export interface Answer {
  status: number;
  /** Parsed, where it is JSON. */
  body: unknown;
  type: string;
}

/** A client of one unit that pins its certificate and tries nothing again. */
export class TestClient {
  readonly #unit: Unit;
  readonly #agent: Agent;
  #headers: Record<string, string>;

  /** `keepAlive` false: a connection a call, where connections are cut. */
  constructor(unit: Unit, headers: Record<string, string> = basic(), keepAlive = true) {
    this.#unit = unit;
    this.#headers = headers;
    this.#agent = new Agent({ keepAlive, ca: unit.ca });
  }

  /** Logs in, and sends the token from then on. Answers it. */
  async login(username = 'admin', password = 'admin-password'): Promise<string> {
    this.#headers = {};
    const body = { username, password, loginProviderName: 'tmos' };
    const answer = await this.post('/mgmt/shared/authn/login', body);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    const token = text(object(object(answer.body).token).token);
    this.#headers = { 'x-f5-auth-token': token };
    return token;
  }

  get(path: string): Promise<Answer> {
    return this.#call('GET', path);
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.#call('POST', path, body);
  }

  patch(path: string, body: unknown): Promise<Answer> {
    return this.#call('PATCH', path, body);
  }

  delete(path: string): Promise<Answer> {
    return this.#call('DELETE', path);
  }

  /** A declaration of whole tenants. */
  declare(tenants: PlainObject, more: PlainObject = {}, query = ''): Promise<Answer> {
    return this.post(`/mgmt/shared/appsvcs/declare${query}`, adc(tenants, more));
  }

  /** Some applications of a tenant. */
  declareApps(tenant: string, applications: PlainObject, query = ''): Promise<Answer> {
    const body = { schemaVersion: '3.50.0', ...applications };
    return this.post(`/mgmt/shared/appsvcs/declare/${tenant}/applications${query}`, body);
  }

  /** What stands in a list of /mgmt/tm, by full path. */
  async list(kind: string, query = ''): Promise<Record<string, PlainObject>> {
    const answer = await this.get(`/mgmt/tm/${kind}${query}`);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    return Object.fromEntries(objects(object(answer.body).items).map((item) => [text(item.fullPath), item]));
  }

  async #call(method: string, path: string, body?: unknown): Promise<Answer> {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const sent = request(new URL(path, this.#unit.url), {
      method,
      agent: this.#agent,
      headers: { ...this.#headers, ...(content !== undefined && { 'content-type': 'application/json' }) },
    });
    sent.end(content);
    const [response] = await once(sent, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(Buffer.from(chunk));
    const told = Buffer.concat(chunks).toString();
    const type = text(response.headers['content-type']);
    const isJson = type.startsWith('application/json');
    return { status: response.statusCode, body: isJson ? JSON.parse(told) : told, type };
  }
}

type Take = (peer: BigIpPeer, client: TestClient) => void;

/** Of a describe: a stand-in of its own for each test, and a client of its first unit. */
export function peerForEach(take: Take, options: BigIpOptions = {}): void {
  let peer: BigIpPeer;
  beforeEach(async () => {
    peer = await startBigIp(options);
    take(peer, new TestClient(peer.unit));
  });
  afterEach(() => peer.stop());
}

/** Of a describe: one stand-in for all of its tests. */
export function peerForAll(take: Take, options: BigIpOptions = {}): void {
  let peer: BigIpPeer;
  before(async () => {
    peer = await startBigIp(options);
    take(peer, new TestClient(peer.unit));
  });
  after(() => peer.stop());
}

/** Of a unit whose connections end in the test. */
export function fragileClient(unit: Unit): TestClient {
  return new TestClient(unit, basic(), false);
}

export function basic(username = 'admin', password = 'admin-password'): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

export function adc(tenants: PlainObject, more: PlainObject = {}): PlainObject {
  const named = Object.entries(tenants).map(([name, apps]) => [name, { class: 'Tenant', ...object(apps) }]);
  return { class: 'ADC', schemaVersion: '3.50.0', id: 'test', ...more, ...Object.fromEntries(named) };
}

export interface AppOptions {
  port?: number;
  members?: readonly string[];
  service?: PlainObject;
  pool?: PlainObject;
  member?: PlainObject;
  more?: PlainObject;
}

/** An application: a virtual server `web` on `address`, and its pool `servers`. */
export function app(address: string, options: AppOptions = {}): PlainObject {
  const { port = 80, members = ['10.0.0.1', '10.0.0.2'], service, pool, member, more } = options;
  return {
    class: 'Application',
    web: {
      class: 'Service_L4',
      virtualAddresses: [address],
      virtualPort: port,
      persistenceMethods: [],
      pool: 'servers',
      ...service,
    },
    servers: {
      class: 'Pool',
      monitors: ['tcp'],
      members: [{ servicePort: 30_080, serverAddresses: members, ...member }],
      ...pool,
    },
    ...more,
  };
}

/** Of an answer of AS3, or of a task. */
export function resultsOf({ body }: Answer): PlainObject[] {
  return objects(object(body).results);
}

/** `code message` of each result. */
export function endings(answer: Answer): string[] {
  return resultsOf(answer).map(({ code, message, tenant }) => `${text(tenant)}: ${code} ${text(message)}`);
}

export function messageOf({ body }: Answer): string {
  return text(object(body).message);
}
