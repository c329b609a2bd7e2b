import { As3, type InFlight } from './as3/as3.ts';
import type { SchemaCheck } from './as3/schema-check.ts';
import type { Clock } from './clock.ts';
import type { Cluster, SyncedState } from './cluster.ts';
import { Configuration } from './configuration.ts';
import { addFactoryObjects } from './factory-objects.ts';
import { Front, type FrontOptions, type Incoming } from './front.ts';
import type { Member } from './members.ts';
import { object, type PlainObject } from './plain.ts';
import { frameworkError, type RestAnswer } from './rest-answer.ts';
import { Sessions } from './sessions.ts';
import type { BigIpTimes } from './settings.ts';
import { answerCluster } from './tm/cluster-routes.ts';
import { changeMember, changeObject, createObject, deleteObject } from './tm/edit-objects.ts';
import { answerTm } from './tm/routes.ts';

export interface UnitOptions extends FrontOptions {
  cluster: Cluster;
  clock: Clock;
  times: BigIpTimes;
  users: Readonly<Record<string, string>>;
  vlans: readonly string[];
  hasAs3: boolean;
  as3Version: string;
  perApp: boolean;
  schema: SchemaCheck;
}

export interface RestartOptions {
  /** Nothing but 503 pages for so long. @default 0 */
  downMs?: number;
  /** Of the declaration that is under way. `unsaved`: the objects are there, AS3 doesn't know of them. @default lost */
  inFlight?: InFlight;
  /** Tokens survive. @default false */
  keepTokens?: boolean;
  /** AS3's lock stays behind, for two minutes of the device's clock. @default false */
  keepLock?: boolean;
}

/** One device: its configuration, its users, AS3, and the server before them. */
export class Unit {
  readonly host: string;
  readonly state: SyncedState;
  readonly sessions: Sessions;
  readonly as3: As3;
  readonly #options: UnitOptions;
  readonly #front: Front;
  #downUntil = 0;

  constructor(options: UnitOptions) {
    this.#options = options;
    this.host = options.host;
    this.state = { configuration: new Configuration(), declarations: [] };
    addFactoryObjects(this.state.configuration, options.vlans);
    this.sessions = new Sessions(options.users, options.clock);
    const { cluster, clock, times, as3Version, perApp, schema } = options;
    const changed = (syncTo: string) => {
      cluster.noteChange(this);
      if (syncTo !== '' && syncTo.replace(/^\/Common\//, '') === cluster.group) cluster.syncFrom(this);
    };
    this.as3 = new As3({ state: this.state, clock, times, version: as3Version, perApp, schema, changed });
    this.#front = new Front(options, (incoming) => this.#answer(incoming));
    cluster.units.push(this);
  }

  /** `https://127.0.0.1:port` */
  get url(): string {
    return this.#front.url;
  }

  /** PEM of the unit's own certificate, which signed itself. */
  get ca(): string {
    return this.#options.certificate.cert;
  }

  get configuration(): Configuration {
    return this.state.configuration;
  }

  get isActive(): boolean {
    return this.#options.cluster.isActive(this);
  }

  /** Makes an object by hand: as POST of this body would. Answers its full path. */
  create(kind: string, body: PlainObject): string {
    const path = createObject(this.configuration, kind, body);
    this.#options.cluster.noteChange(this);
    return path;
  }

  /** Edits an object by hand, as PATCH would. */
  edit(kind: string, path: string, body: PlainObject): void {
    changeObject(this.configuration, kind, path, body);
    this.#options.cluster.noteChange(this);
  }

  /** Edits a member of a pool by hand: `editMember('/T/A/web', '/T/10.0.0.1:80', { session: 'user-disabled' })`. */
  editMember(pool: string, member: string, body: PlainObject): void {
    changeMember(this.configuration, pool, member, body);
    this.#options.cluster.noteChange(this);
  }

  /** Deletes an object by hand. */
  remove(kind: string, path: string): void {
    deleteObject(this.configuration, kind, path);
    this.#options.cluster.noteChange(this);
  }

  /** The device starts again: connections end, tokens are gone, and what was under way ends as the options say. */
  restart({
    downMs = 0,
    inFlight = 'lost',
    keepTokens = false,
    keepLock = false,
  }: RestartOptions = {}): void {
    this.#downUntil = performance.now() + downMs;
    this.#front.endConnections();
    this.as3.restart(inFlight, keepLock);
    if (!keepTokens) this.sessions.forget();
  }

  /** Nobody listens any more: connections are refused until `listen`. */
  async unplug(): Promise<void> {
    await this.#front.close();
  }

  /** On the port that it had, if it had one. */
  async listen(address?: string): Promise<void> {
    await this.#front.listen(address);
  }

  /** Ends what is never answered, and what was to be busy. */
  heal(): void {
    this.#front.release();
    this.as3.busy = 0;
  }

  async #answer({ method, url, headers, body }: Incoming): Promise<RestAnswer> {
    if (performance.now() < this.#downUntil) return { status: 503, body: RESTARTING_PAGE };
    const token = headers['x-f5-auth-token'];
    const credentials = {
      token: Array.isArray(token) ? token[0] : token,
      authorization: headers.authorization,
    };
    const aboutTokens = this.sessions.answer(method, url.pathname, body, credentials);
    if (aboutTokens !== undefined) return aboutTokens;
    const user = this.sessions.identify(credentials);
    if (typeof user !== 'string') return user;
    const parts = url.pathname.split('/').filter((part) => part !== '');
    const [mgmt, area, ...rest] = parts.map(decodeURIComponent);
    const query = url.searchParams;
    if (mgmt === 'mgmt' && area === 'shared' && rest[0] === 'appsvcs' && this.#options.hasAs3) {
      return await this.as3.answer(rest.slice(1), { method, query, body });
    }
    if (mgmt === 'mgmt' && area === 'tm') return await this.#answerTm(method, rest, query, body);
    return frameworkError(404, NOT_REGISTERED);
  }

  async #answerTm(
    method: string,
    segments: readonly string[],
    query: URLSearchParams,
    body: unknown,
  ): Promise<RestAnswer> {
    const { cluster, times } = this.#options;
    const context = { unit: this, cluster, syncMs: times.sync };
    const ofCluster = await answerCluster(context, method, segments.join('/'), object(body));
    // A standby unit has no traffic.
    const healthOf = (member: Member) =>
      this.isActive ? cluster.healthOf(member) : { ...cluster.healthOf(member), connections: 0 };
    if (ofCluster !== undefined) return ofCluster;
    const answer = answerTm(this.configuration, healthOf, { method, segments, query, body });
    if (method !== 'GET') cluster.noteChange(this);
    return answer;
  }
}

const NOT_REGISTERED =
  'Public URI path not registered. Please see /var/log/restjavad.0.log and /var/log/restnoded/restnoded.log for details.';
const RESTARTING_PAGE =
  '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n' +
  '<html><head><title>BIG-IP&reg;- Configuration Utility restarting...</title></head><body></body></html>\n';
