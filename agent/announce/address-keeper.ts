import type { Logger } from '../../kube/log.ts';
import { Advertiser } from './advertise.ts';
import type { NodeInterface } from './choose-interface.ts';
import { HeldAddresses, REFRESH_MS } from './held-addresses.ts';
import { LinkMonitor } from './link-monitor.ts';
import { describeInterface, type LocalInterface, readInterfaces } from './node-interfaces.ts';
import type { AnnounceTimes } from './times.ts';

export interface KeeperOptions {
  log: Logger;
  times: AnnounceTimes;
  /** Until when what we hold is valid, on `performance.now()`. */
  deadline: () => number;
  /** Whether it is known yet what this node holds: until then an earlier life's addresses stay, under the guard that it left. */
  isSettled: () => boolean;
  /** What this node should answer for now, address to device; empty once the deadline passed. */
  target: () => ReadonlyMap<string, string>;
  /** Addresses came or went. */
  onChange: () => void;
  /** What this node's interfaces can answer for changed. */
  onInterfaces: () => void;
}

const RETRY_MS = 250;

/**
 * Keeps the kernel at the target: one run at a time, and another when something changed meanwhile. What must go goes before
 * anything else, and the guard is never prolonged while an address is there that we don't hold.
 */
export class AddressKeeper {
  readonly #options: KeeperOptions;
  readonly #log: Logger;
  readonly #held: HeldAddresses;
  readonly #advertiser: Advertiser;
  readonly #monitor: LinkMonitor;
  #interfaces: readonly LocalInterface[] = [];
  #named: ReadonlySet<string> = new Set();
  #running: Promise<void> | undefined;
  #again = false;
  #fence: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #refreshing: NodeJS.Timeout | undefined;
  #refreshDue = false;
  /** The deadline that the kernel's guard was last set to. */
  #guardedUntil = 0;
  #stopped = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#held = new HeldAddresses(options.log);
    this.#advertiser = new Advertiser(options.log, options.times.advertiseAtMs, () => this.#interfaces);
    const isOurs = (address: string, device: string) => this.present.get(address) === device;
    this.#monitor = new LinkMonitor(options.log, isOurs, () => void this.#lookAround());
  }

  /** Addresses that may be on an interface: no claim on one of them may be taken back. */
  get present(): ReadonlyMap<string, string> {
    return this.#held.present;
  }

  get described(): NodeInterface[] {
    return this.#interfaces.map(describeInterface);
  }

  /** Addresses that the kernel answers for. */
  answering(): string[] {
    const target = this.#options.target();
    return [...this.present.keys()].filter((address) => target.has(address));
  }

  async start(): Promise<void> {
    await this.#held.open();
    this.#interfaces = await readInterfaces(this.#named);
    this.#monitor.start();
    this.#refreshing = setInterval(() => {
      this.#refreshDue = true;
      this.kick();
      void this.#lookAround();
    }, REFRESH_MS);
  }

  /** Interfaces that are asked for by name, and so count without a subnet too. */
  setNamed(named: ReadonlySet<string>): void {
    const isNew = [...named].some((name) => !this.#named.has(name));
    this.#named = named;
    if (isNew) void this.#lookAround();
  }

  /** Something changed: bring the kernel to the target. */
  kick(): void {
    if (this.#stopped || !this.#options.isSettled()) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    if (this.#isConverged()) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) this.kick();
    });
  }

  /** Leaves the kernel as it is from now on. */
  abandon(): void {
    this.#stopped = true;
    this.#monitor.stop();
    this.#advertiser.stop();
    clearTimeout(this.#fence);
    clearTimeout(this.#retry);
    clearInterval(this.#refreshing);
  }

  /** Takes everything off. */
  async stop(): Promise<void> {
    this.abandon();
    await this.#running;
    try {
      if (this.present.size > 0) await this.#held.silence();
      await this.#held.removeOthers(new Map());
      await this.#held.close();
    } catch (error) {
      this.#log.error('AddressesNotRemoved', { error });
    }
  }

  #isConverged(): boolean {
    const target = this.#options.target();
    if (target.size !== this.present.size || this.#refreshDue) return false;
    if (target.size > 0 && this.#options.deadline() !== this.#guardedUntil) return false;
    return [...target].every(([address, device]) => this.present.get(address) === device);
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#converge();
      } catch (error) {
        this.#log.error('AddressesNotApplied', { error });
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => this.kick(), RETRY_MS);
        return;
      }
    } while (this.#again && !this.#isConverged());
  }

  async #converge(): Promise<void> {
    const target = this.#options.target();
    const before = this.present.size;
    if (target.size === 0 && before > 0) await this.#silence();
    await this.#held.removeOthers(target);
    const added = await this.#answer();
    if (this.#refreshDue) await this.#held.refresh();
    this.#refreshDue = false;
    if (this.present.size > 0 && performance.now() >= this.#options.deadline()) {
      await this.#silence();
      this.#again = true;
    }
    this.#advertise(added);
    if (added.length > 0)
      this.#log.info('AddressesTaken', { count: added.length, addresses: added.slice(0, 20) });
    if (added.length > 0 || this.present.size !== before) this.#options.onChange();
  }

  /** As of now: taking off what had to go may have taken a while, or a pause. */
  async #answer(): Promise<string[]> {
    const target = this.#options.target();
    const deadline = this.#options.deadline();
    const isStray = [...this.present].some(([address, device]) => target.get(address) !== device);
    if (isStray) this.#again = true;
    if (isStray || target.size === 0) return [];
    clearTimeout(this.#fence);
    this.#fence = setTimeout(() => this.kick(), Math.max(0, deadline - performance.now()) + 1);
    const { added, complete } = await this.#held.answerFor(target, deadline);
    this.#guardedUntil = deadline;
    if (!complete) {
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => void this.#lookAround(), RETRY_MS);
    }
    return added;
  }

  async #silence(): Promise<void> {
    if (performance.now() >= this.#options.deadline()) {
      this.#log.warn('Fenced', { addresses: this.present.size });
    }
    await this.#held.silence();
    this.#guardedUntil = 0;
  }

  #advertise(addresses: readonly string[]): void {
    if (!this.#stopped) this.#advertiser.start(addresses, () => this.#answeringMap());
  }

  #answeringMap(): Map<string, string> {
    const target = this.#options.target();
    return new Map([...this.present].filter(([address]) => target.has(address)));
  }

  /** Looks at the interfaces again: what they can answer for, which came back, and whether our addresses are still there. */
  async #lookAround(): Promise<void> {
    if (this.#stopped) return;
    try {
      const interfaces = await readInterfaces(this.#named);
      const known = new Map(this.#interfaces.map((entry) => [entry.name, entry]));
      const back = interfaces.filter((entry) => {
        const old = known.get(entry.name);
        return old === undefined || old.mac !== entry.mac || old.index !== entry.index;
      });
      const before = JSON.stringify(this.described);
      this.#interfaces = interfaces;
      const names = new Set(back.map((entry) => entry.name));
      const returned = [...this.present]
        .filter(([, device]) => names.has(device))
        .map(([address]) => address);
      if (returned.length > 0 || (await this.#held.anyMissing())) {
        this.#refreshDue = true;
        this.kick();
      }
      this.#advertise(returned);
      if (JSON.stringify(this.described) !== before) this.#options.onInterfaces();
    } catch (error) {
      this.#log.warn('InterfacesNotRead', { error });
    }
  }
}
