import { seededRandom } from '../aws/seeded-random.ts';
import { findF5Schema } from './as3/f5-schema.ts';
import { type SchemaCheck, SHAPE_ONLY } from './as3/schema-check.ts';
import { CallLog } from './call-log.ts';
import { Clock } from './clock.ts';
import { Cluster } from './cluster.ts';
import { partitionOf } from './configuration.ts';
import { type FaultRule, FaultRules, type InjectedFault } from './fault-rules.ts';
import type { CallHook } from './front.ts';
import { makeCertificate } from './make-certificate.ts';
import type { MemberHealth } from './members.ts';
import { type BigIpTimes, QUICK } from './settings.ts';
import { Unit } from './unit.ts';

export interface BigIpOptions {
  /** 1, or 2 for a pair of which the first is active. @default 1 */
  units?: 1 | 2;
  /** Of the pair. @default pair */
  group?: string;
  /** The pair syncs by itself after each change. @default false */
  autoSync?: boolean;
  /** false: F5's package isn't installed. @default true */
  as3?: boolean;
  /** What /mgmt/shared/appsvcs/info says. Before 3.46 there are no per-application declarations. @default 3.56.0 */
  as3Version?: string;
  /** The setting `perAppDeploymentAllowed`. @default true */
  perApp?: boolean;
  /** Names and passwords. @default {admin: 'admin-password'} */
  users?: Readonly<Record<string, string>>;
  /** @default /Common/internal, /Common/external */
  vlans?: readonly string[];
  times?: Partial<BigIpTimes>;
  /** Of shares of calls. @default 1 */
  seed?: number;
  /** Where the units listen. @default 127.0.0.1 */
  address?: string;
  /** false: declarations aren't held against F5's schema, also where it is there. @default true */
  checkSchema?: boolean;
}

/** A stand-in for F5 BIG-IP: one device or a pair, over HTTPS, with AS3 and as much of iControl REST as Fairlead speaks. */
export class BigIpPeer {
  readonly units: readonly Unit[];
  readonly calls = new CallLog();
  readonly times: BigIpTimes;
  /** The devices' time, which a test may put forward. */
  readonly clock = new Clock();
  /** Are declarations held against F5's schema? */
  readonly schemaChecked: boolean;
  readonly credentials: { username: string; password: string };
  /** Of the device group; undefined for a unit of its own. */
  readonly group: string | undefined;
  readonly #cluster: Cluster;
  readonly #faults: FaultRules;
  readonly #before = new Set<CallHook>();
  readonly #after = new Set<CallHook>();

  private constructor(
    options: BigIpOptions,
    certificates: readonly { cert: string; key: string }[],
    schema: SchemaCheck,
  ) {
    const users = options.users ?? { admin: 'admin-password' };
    const [username = '', password = ''] = Object.entries(users)[0] ?? [];
    this.credentials = { username, password };
    this.times = { ...QUICK, ...options.times };
    this.schemaChecked = schema !== SHAPE_ONLY;
    this.#faults = new FaultRules(seededRandom(options.seed ?? 1));
    this.group = options.units === 2 ? (options.group ?? 'pair') : undefined;
    this.#cluster = new Cluster(this.group, options.autoSync ?? false, this.clock);
    this.units = certificates.map(
      (certificate, index) =>
        new Unit({
          host: hostOf(index),
          cluster: this.#cluster,
          clock: this.clock,
          times: this.times,
          log: this.calls,
          faults: this.#faults,
          before: this.#before,
          after: this.#after,
          users,
          vlans: options.vlans ?? ['/Common/internal', '/Common/external'],
          hasAs3: options.as3 ?? true,
          as3Version: options.as3Version ?? '3.56.0',
          perApp: options.perApp ?? true,
          schema,
          certificate,
        }),
    );
    if (this.group !== undefined) {
      for (const { configuration } of this.units)
        configuration.put('cm/device-group', `/Common/${this.group}`, {
          type: 'sync-failover',
          autoSync: options.autoSync === true ? 'enabled' : 'disabled',
        });
    }
  }

  /** See `startBigIp`. */
  static async start(options: BigIpOptions): Promise<BigIpPeer> {
    const address = options.address ?? '127.0.0.1';
    const schema = (options.checkSchema === false ? undefined : findF5Schema()) ?? SHAPE_ONLY;
    const hosts = Array.from({ length: options.units ?? 1 }, (_, index) => hostOf(index));
    const certificates = await Promise.all(hosts.map((host) => makeCertificate(host, [address])));
    const peer = new BigIpPeer(options, certificates, schema);
    await Promise.all(peer.units.map((unit) => unit.listen(address)));
    return peer;
  }

  /** The first unit, which is active until `failOver`. */
  get unit(): Unit {
    const [first] = this.units;
    if (first === undefined) throw new Error('the peer has no units');
    return first;
  }

  /** The unit that is active now. */
  get active(): Unit {
    return this.units.find(({ isActive }) => isActive) ?? this.unit;
  }

  /** The other unit becomes active. What wasn't synced stays where it is. */
  failOver(): void {
    this.#cluster.failOver();
  }

  /** Makes calls go wrong until it is removed. */
  inject(rule: FaultRule): InjectedFault {
    return this.#faults.add(rule);
  }

  /** The next so many declarations to the active unit find another one under way (503). */
  busyFor(declarations: number): void {
    this.active.as3.busy = declarations;
  }

  /** All tokens of all units run out. */
  expireTokens(): void {
    for (const { sessions } of this.units) sessions.expire();
  }

  /** Ends all faults and hooks; what is configured stays. */
  heal(): void {
    this.#faults.clear();
    this.#before.clear();
    this.#after.clear();
    for (const unit of this.units) unit.heal();
  }

  /** Runs before a call is done; the call waits for it. Answers how to take it away. */
  beforeCall(hook: CallHook): () => void {
    this.#before.add(hook);
    return () => void this.#before.delete(hook);
  }

  /** Runs after a call was done, before its answer is sent. */
  afterCall(hook: CallHook): () => void {
    this.#after.add(hook);
    return () => void this.#after.delete(hook);
  }

  /** Of `10.0.0.1:80`, or of all ports of an address; undefined: up, without connections, as all are. */
  setMember(server: string, health: MemberHealth | undefined): void {
    this.#cluster.setHealth(server, health);
  }

  /**
   * All that is configured on a unit outside of these partitions, by kind and path, to be compared with itself later. What AS3
   * itself made in /Common for declarations (shared nodes and addresses) isn't foreign.
   */
  foreignObjects(partitions: readonly string[], unit = this.active): Record<string, unknown> {
    const own = new Set(partitions);
    const foreign = unit.configuration
      .all()
      .filter(({ kind, path }) => !own.has(partitionOf(path)) && !unit.configuration.isShared(kind, path));
    return structuredClone(
      Object.fromEntries(foreign.map(({ kind, path, properties }) => [`${kind} ${path}`, properties])),
    );
  }

  async stop(): Promise<void> {
    for (const { as3 } of this.units) as3.stop();
    await Promise.all(this.units.map((unit) => unit.unplug()));
  }
}

/** A BIG-IP of its own, with nothing on it but what comes from the factory. */
export function startBigIp(options: BigIpOptions = {}): Promise<BigIpPeer> {
  return BigIpPeer.start(options);
}

function hostOf(index: number): string {
  return `bigip-${index + 1}.example.com`;
}
