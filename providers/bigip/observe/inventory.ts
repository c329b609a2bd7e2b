import { isClass } from '../../../kube/errors.ts';
import type { Finding, LoadBalancerId, Subject } from '../../provider.ts';
import { SharedRun } from '../../shared-run.ts';
import { type ApplicationWrite, GatheredWrites } from '../apply/gathered-writes.ts';
import { type Caller, readTenant } from '../calls/as3.ts';
import type { Device } from '../calls/device.ts';
import { failWhileRunning } from '../calls/find-running.ts';
import type { JsonObject } from '../json.ts';
import { applicationOf } from '../names.ts';
import type { BigipObserved, MemberState } from '../observed.ts';
import { isSameOwner, readMark } from '../owner.ts';
import { findLoose, type LooseObject } from './find-loose.ts';
import { errorOfObstacle, findObstacle } from './find-obstacle.ts';
import { findOwed } from './find-owed.ts';
import { FOLDER, flattenLive, type Listing } from './flatten-live.ts';
import { isLeftOver, type KnownTenant, keepAsWritten, liveOf, ownIn } from './known-tenant.ts';
import { LookClock } from './look-clock.ts';
import { OwedSyncs } from './owed-syncs.ts';
import { readLive, readMemberStates, readOthers } from './read-live.ts';

export interface InventoryOptions {
  device: Device;
  tenant: string;
  clusterId: string;
  declarations: 'Auto' | 'PerApplication' | 'WholeTenant';
  /** ms since 1970. */
  now: () => number;
}

/**
 * What a cluster has in one tenant: read once, and kept by our own writes from then on. What the device has of what we wrote
 * is taken to be as it was declared, until a sweep reads it.
 */
export class Inventory {
  readonly device: Device;
  readonly tenant: string;
  /** What waits to be written, where whole tenants are. */
  readonly gathered = new GatheredWrites();
  readonly #options: InventoryOptions;
  readonly #looks = new LookClock();
  readonly #load = new SharedRun((signal) => this.#read(signal));
  #known: KnownTenant | undefined;
  /** Counts writes, and what each application's last one was: what was read before it doesn't count any more. */
  #writes = 0;
  readonly #lastWrite = new Map<string, number>();
  /** Of the last write of which nobody knows what it did. */
  #forgotAt = 0;
  /** What the group doesn't have yet, and the unit that has it. */
  readonly #owed = new OwedSyncs();
  #unit: Caller | undefined;
  /** What others have in the partition, as the last sweep found it on that unit. */
  #others: { unit: Caller; loose: readonly LooseObject[] } | undefined;
  /** Nothing is under way on the unit that a process before this one began, and all of it was read since. */
  #isAlone = false;

  constructor(options: InventoryOptions) {
    this.#options = options;
    this.device = options.device;
    this.tenant = options.tenant;
  }

  async observe(subject: Subject, signal: AbortSignal): Promise<BigipObserved> {
    let known = await this.#ready(signal);
    const own = ownIn(known, subject.id);
    if (own === undefined && subject.spec === undefined && !this.#isAlone) {
      // Before it is taken for gone for good.
      await failWhileRunning(known.unit, signal);
      this.forget();
      known = await this.#ready(signal);
      this.#isAlone = true;
    }
    if (own === undefined || subject.spec === undefined) return this.#tell(known, subject);
    try {
      await this.#look(known, applicationOf(subject.id), own, signal);
    } catch (error) {
      if (!isClass(error, 'NotFound')) throw error;
      // Somebody took a pool away: whatever else is otherwise, it's to be known before anything is compared.
      this.forget();
      return this.#tell(await this.#ready(signal), subject);
    }
    return this.#tell(known, subject);
  }

  #tell(known: KnownTenant, { id: owner, spec }: Subject): BigipObserved {
    const name = applicationOf(owner);
    const own = ownIn(known, owner);
    const applications = [...known.applications].filter(([, each]) => isSameOwner(owner, readMark(each)));
    const states = known.live.states.get(name);
    const again = own === undefined ? undefined : this.#looks.nextAfterSeconds(name);
    return {
      now: this.#options.now(),
      owner,
      tenant: this.tenant,
      applications: Object.fromEntries(applications),
      isLeftOver: isLeftOver(known, name),
      live: own === undefined ? undefined : liveOf(known, name, own),
      ...(states === undefined ? {} : { states }),
      unsynced: spec === undefined ? this.mayOwe(name) : this.owes(name),
      ...(again === undefined ? {} : { lookAgainAfterSeconds: again }),
      obstacle: this.#obstacleFor(known, owner),
    };
  }

  /** Reads all of it anew. Answers who has something there. */
  async refresh(signal: AbortSignal): Promise<LoadBalancerId[]> {
    await this.device.findActive(signal);
    this.#others = undefined;
    const { applications } = await this.#load.join(signal);
    return [...applications.values()].flatMap((each) => {
      const owner = readMark(each);
      return owner?.clusterId === this.#options.clusterId ? [owner] : [];
    });
  }

  /** Throws what `observe` says, for those that come to write. */
  async mayWrite(
    { declaration, owner: id }: ApplicationWrite,
    signal: AbortSignal,
  ): Promise<{ perApplication: boolean; isLeftOver: boolean }> {
    const known = await this.#ready(signal);
    const obstacle = this.#obstacleFor(known, id, declaration === undefined);
    if (obstacle !== undefined) throw errorOfObstacle(obstacle);
    return { perApplication: known.perApplication, isLeftOver: isLeftOver(known, applicationOf(id)) };
  }

  /** What a write left behind; undefined: the application is gone. */
  wrote(name: string, declaration: JsonObject | undefined, isSynced: boolean): void {
    this.#lastWrite.set(name, ++this.#writes);
    if (!isSynced) this.#owed.add(name);
    const known = this.#known;
    if (known === undefined) return;
    known.live.settings.delete(name);
    known.live.states.delete(name);
    this.#looks.restart(name);
    if (declaration === undefined) {
      known.applications.delete(name);
      this.#looks.forget(name);
    } else known.applications.set(name, declaration);
  }

  /** Does the group lack what the active unit has of it? */
  owes(name: string): boolean {
    return this.#owed.has(name);
  }

  /** The same, where it can't be told counts as owed: of what is to be gone from the group for good. */
  mayOwe(name: string): boolean {
    return this.#owed.mayHave(name);
  }

  /** The group has all that was written until now. */
  synced(): void {
    this.#owed.settle();
  }

  /** Nobody knows what a write of this application has done that failed: the group may lack it. */
  doubt(name: string): void {
    if (this.device.deviceGroup !== undefined) this.#owed.add(name);
    this.forget();
  }

  /** All of it is to be read anew. */
  forget(): void {
    this.#forgotAt = ++this.#writes;
    this.#known = undefined;
  }

  async #ready(signal: AbortSignal): Promise<KnownTenant> {
    const known = this.#known;
    if (known === undefined) return await this.#load.join(signal);
    // The other unit of a pair has what was synchronised to it: that may be less.
    if ((await this.device.active(signal)) === known.unit) return known;
    return await this.#load.join(signal);
  }

  async #read(signal: AbortSignal): Promise<KnownTenant> {
    const unit = await this.device.active(signal);
    const writes = this.#writes;
    try {
      const perApplication = await this.#isPerApplication(unit, signal);
      const applications = new Map(Object.entries((await readTenant(unit, this.tenant, signal)) ?? {}));
      const { tenant } = this;
      const others = this.#others?.unit === unit ? undefined : await readOthers(unit, tenant, signal);
      const users = await readLive(unit, tenant, signal);
      const live = flattenLive(tenant, users);
      const loose = this.#findLoose(unit, { applications, others, users });
      if (this.#unit !== unit) {
        this.#owed.startAgain();
        this.#isAlone = false;
      }
      this.#unit = unit;
      if (!this.#owed.isKnown) {
        const { device } = this;
        const owed = await findOwed({ device, tenant, unit, applications }, signal);
        if (owed !== undefined) this.#owed.takeIn(owed);
      }
      // Without a pool there is nobody to ask about, until it is declared again; nothing at all is what was found, too.
      for (const name of applications.keys()) {
        live.states.set(name, live.states.get(name) ?? {});
        live.settings.set(name, live.settings.get(name) ?? {});
      }
      const before = this.#known?.unit === unit ? this.#known : undefined;
      const known = { unit, perApplication, applications, live, loose };
      const written = [...this.#lastWrite].flatMap(([name, at]) => (at > writes ? [name] : []));
      // Of what was written meanwhile, and isn't known any more, the next one reads it again.
      if (this.#forgotAt > writes || (before === undefined && written.length > 0)) return known;
      for (const name of written) keepAsWritten(known, before, name);
      for (const name of applications.keys()) {
        if (!written.includes(name)) this.#judge(name, live.states.get(name));
      }
      for (const [name, at] of this.#lastWrite) if (at <= writes) this.#lastWrite.delete(name);
      this.#known = known;
      return known;
    } catch (error) {
      this.device.failed(unit, error);
      throw error;
    }
  }

  /** Many calls for what hardly ever changes: kinds that aren't compared are read by sweeps alone, and of a unit that is new. */
  #findLoose(
    unit: Caller,
    found: { applications: ReadonlyMap<string, JsonObject>; others: Listing | undefined; users: Listing },
  ): LooseObject[] {
    const { applications, others, users } = found;
    const { tenant } = this;
    const { [FOLDER]: _folders, ...compared } = users;
    if (others !== undefined) {
      this.#others = { unit, loose: findLoose({ tenant, applications, listing: others, users }) };
    }
    const loose = this.#others?.loose ?? [];
    return [...findLoose({ tenant, applications, listing: compared, users }), ...loose];
  }

  async #isPerApplication(unit: Caller, signal: AbortSignal): Promise<boolean> {
    const { declarations } = this.#options;
    const { perApplication } = await this.device.capabilities(unit, signal);
    return declarations === 'Auto' ? perApplication : declarations === 'PerApplication';
  }

  /** Asks for the health of targets, where it is time to. */
  async #look(known: KnownTenant, name: string, application: JsonObject, signal: AbortSignal): Promise<void> {
    if (known.live.states.has(name) && !this.#looks.isDue(name)) return;
    const unit = await this.device.active(signal);
    const writes = this.#writes;
    const states = await readMemberStates(unit, { tenant: this.tenant, name, application }, signal);
    if ((this.#lastWrite.get(name) ?? 0) > writes) return;
    known.live.states.set(name, states);
    this.#judge(name, states);
  }

  /** Once all that get traffic are up, nobody has to ask before the next sweep. */
  #judge(name: string, states: Readonly<Record<string, MemberState>> | undefined): void {
    const found = Object.values(states ?? {}).filter((state) => state !== 'disabled');
    this.#looks.looked(name, found.length > 0 && found.every((state) => state === 'up'));
  }

  #obstacleFor(known: KnownTenant, id: LoadBalancerId, isRemoval = false): Finding | undefined {
    const contents = { ...known, folders: known.live.settings.keys() };
    return findObstacle(contents, { id, tenant: this.tenant, clusterId: this.#options.clusterId, isRemoval });
  }
}
