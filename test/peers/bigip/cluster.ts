import type { Clock } from './clock.ts';
import type { Configuration } from './configuration.ts';
import { joinAddressPort, type Member, type MemberHealth } from './members.ts';
import type { PlainObject } from './plain.ts';

/** What is synced between units: the configuration, and AS3's declarations, which are kept inside of it. */
export interface SyncedState {
  readonly configuration: Configuration;
  /** The newest first. */
  declarations: PlainObject[];
}

export interface ClusterUnit {
  readonly host: string;
  readonly state: SyncedState;
}

/** What the units of a pair know of each other. */
export class Cluster {
  readonly units: ClusterUnit[] = [];
  /** Of the pair; a unit of its own has none. */
  readonly group: string | undefined;
  /** Each change goes to the others by itself. */
  readonly autoSync: boolean;
  /** By `address:port`, or by address. */
  readonly #health = new Map<string, MemberHealth>();
  readonly #clock: Clock;
  #active = 0;
  #activeSince: number;

  constructor(group: string | undefined, autoSync: boolean, clock: Clock) {
    this.group = group;
    this.autoSync = autoSync;
    this.#clock = clock;
    this.#activeSince = clock.now();
  }

  isActive(unit: ClusterUnit): boolean {
    return this.units[this.#active] === unit;
  }

  get active(): ClusterUnit | undefined {
    return this.units[this.#active];
  }

  /** `0d 00:01:02` of the present state of things. */
  get activeFor(): string {
    const seconds = Math.floor((this.#clock.now() - this.#activeSince) / 1_000);
    const two = (value: number) => String(value).padStart(2, '0');
    const [hours, minutes] = [Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60];
    return `${Math.floor(seconds / 86_400)}d ${two(hours)}:${two(minutes)}:${two(seconds % 60)}`;
  }

  failOver(): void {
    this.#active = (this.#active + 1) % Math.max(this.units.length, 1);
    this.#activeSince = this.#clock.now();
  }

  /** To be called after each change of a unit's configuration. */
  noteChange(unit: ClusterUnit): void {
    if (this.autoSync) this.syncFrom(unit);
  }

  inSync(): boolean {
    const [first, ...others] = this.units;
    return (
      first === undefined ||
      others.every(({ state }) => state.configuration.equals(first.state.configuration))
    );
  }

  /** `config-sync to-group`: what this unit has, the others have. */
  syncFrom(unit: ClusterUnit): void {
    for (const other of this.units) {
      if (other === unit) continue;
      other.state.configuration.copyFrom(unit.state.configuration);
      other.state.declarations = structuredClone(unit.state.declarations);
    }
  }

  setHealth(server: string, health: MemberHealth | undefined): void {
    if (health === undefined) this.#health.delete(server);
    else this.#health.set(server, health);
  }

  healthOf(member: Member): MemberHealth {
    const exact = this.#health.get(joinAddressPort(member.address, member.port));
    return exact ?? this.#health.get(member.address) ?? {};
  }
}
