import { ClassedError, isClass } from '../../../kube/errors.ts';
import type { KeyedLock } from '../../keyed-lock.ts';
import { isJsonObject } from '../json.ts';
import { type Caller, type Capabilities, readCapabilities } from './as3.ts';
import type { DeclareTimes } from './declare.ts';

export interface DeviceOptions {
  units: readonly Caller[];
  /** By the names of the units: those that reach the same device in other ways wait for each other too. */
  queue: KeyedLock;
  times: DeclareTimes;
  /** Without `/Common/`; undefined: nothing is synchronised. */
  deviceGroup: string | undefined;
}

/** One BIG-IP, or a pair of which one unit is active. One declaration at a time is carried out on it. */
export class Device {
  readonly times: DeclareTimes;
  readonly deviceGroup: string | undefined;
  readonly #units: readonly Caller[];
  readonly #queue: KeyedLock;
  readonly #key: string;
  readonly #capabilities = new Map<Caller, Promise<Capabilities>>();
  #active: Caller | undefined;

  constructor({ deviceGroup, queue, times, units }: DeviceOptions) {
    this.times = times;
    this.deviceGroup = deviceGroup;
    this.#units = units;
    this.#queue = queue;
    this.#key = units
      .map(({ device }) => device)
      .sort()
      .join();
  }

  /** The unit that is to be asked: the active one, as it was found last. */
  async active(signal: AbortSignal): Promise<Caller> {
    return this.#active ?? (await this.findActive(signal));
  }

  /** Asks the units which of them is active. A unit of its own needn't be asked. */
  async findActive(signal: AbortSignal): Promise<Caller> {
    const [only, ...others] = this.#units;
    if (only !== undefined && others.length === 0) {
      this.#active = only;
      return only;
    }
    const [last] = this.#units.filter((unit) => unit === this.#active);
    const order = [...(last === undefined ? [] : [last]), ...this.#units.filter((unit) => unit !== last)];
    let failure: unknown;
    for (const unit of order) {
      try {
        if (!(await isActive(unit, signal))) continue;
        this.#active = unit;
        return unit;
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
      }
    }
    this.#active = undefined;
    if (failure !== undefined) throw failure;
    const message = `None of ${this.#key} is active: see to the failover state of the pair`;
    throw new ClassedError(message, {
      class: 'Transient',
      reason: 'NoActiveUnit',
      retryAfterSeconds: 5,
    });
  }

  /** The other units of the pair. */
  others(unit: Caller): Caller[] {
    return this.#units.filter((each) => each !== unit);
  }

  /** What AS3 can do there; asked once, and again after it failed. */
  capabilities(unit: Caller, signal: AbortSignal): Promise<Capabilities> {
    const known = this.#capabilities.get(unit);
    if (known !== undefined) return known;
    const asked = readCapabilities(unit, signal);
    this.#capabilities.set(unit, asked);
    asked.catch(() => this.#capabilities.delete(unit));
    return asked;
  }

  /**
   * Alone on the device, with the unit that is active then. One that can't be reached isn't taken for active any more. Nothing
   * is done where it `isOver` when its turn comes.
   */
  async write(
    signal: AbortSignal,
    work: (unit: Caller) => Promise<void>,
    isOver: () => boolean,
  ): Promise<void> {
    await this.#queue.run(this.#key, signal, async () => {
      if (isOver()) return;
      const unit = await this.findActive(signal);
      try {
        await work(unit);
      } catch (error) {
        this.failed(unit, error);
        throw error;
      }
    });
  }

  /** After a call that failed: another unit may be active by now, or another AS3 be there. */
  failed(unit: Caller, error: unknown): void {
    if (!isClass(error, 'Transient')) return;
    if (this.#active === unit) this.#active = undefined;
    this.#capabilities.delete(unit);
  }

  async close(): Promise<void> {
    await Promise.all(this.#units.map((unit) => unit.close()));
  }
}

/** By `cm/device`, which every unit has of itself and of its peers. */
async function isActive(unit: Caller, signal: AbortSignal): Promise<boolean> {
  const path = '/mgmt/tm/cm/device';
  const { body } = await unit.call({ method: 'GET', path, operation: 'GET cm/device', signal });
  const items = isJsonObject(body) && Array.isArray(body.items) ? body.items.filter(isJsonObject) : [];
  const self = items.find(({ selfDevice }) => String(selfDevice) === 'true');
  return self?.failoverState === 'active';
}
