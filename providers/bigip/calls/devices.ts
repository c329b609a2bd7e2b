import { createHash } from 'node:crypto';
import type { BigipConfig } from '../../../crds/bigip-provider.ts';
import { ClassedError } from '../../../kube/errors.ts';
import { KeyedLock } from '../../keyed-lock.ts';
import type { ProviderScope } from '../../provider.ts';
import { RecentSecrets } from '../../recent-secrets.ts';
import { configOf } from '../config-of.ts';
import { tenantOf } from '../names.ts';
import { Inventory } from '../observe/inventory.ts';
import { Device } from './device.ts';
import { Unit, type UnitCall } from './unit.ts';

export interface DevicesOptions {
  /** Of Fairlead's namespace, decoded. */
  readSecret(name: string, signal: AbortSignal): Promise<Record<string, string>>;
  observeCall?: ((call: UnitCall) => void) | undefined;
  /** ms since 1970, for targets on their way out. */
  now?: (() => number) | undefined;
  /** Between two looks at a task at most, and before a busy device is asked again. */
  pollMs?: number | undefined;
  busyMs?: number | undefined;
}

/** A configuration that no provider has any more is kept for as long as a turn that began with it may take: a declaration an hour. */
const FORMER_MS = 2 * 3600_000;
const POLL_MS = 2_000;
const BUSY_MS = 2_000;

interface Entry {
  device: Device;
  inventories: Map<string, Inventory>;
  askedAt: number;
}

/** Devices by configuration: providers that say the same share one, and its memory. */
export class Devices {
  readonly #options: DevicesOptions;
  readonly #queue = new KeyedLock();
  readonly #entries = new Map<string, Entry>();
  /** What each provider said last, by its name. */
  readonly #latest = new Map<string, string>();
  readonly #secrets: RecentSecrets;

  constructor(options: DevicesOptions) {
    this.#options = options;
    this.#secrets = new RecentSecrets((name, signal) => options.readSecret(name, signal));
  }

  /** What a cluster has in a provider's tenant. */
  async inventoryOf(provider: ProviderScope, clusterId: string, signal: AbortSignal): Promise<Inventory> {
    const config = configOf(provider);
    const entry = await this.#entryOf(provider.name, config, signal);
    const tenant = tenantOf(provider, clusterId);
    const { declarations = 'Auto' } = config;
    const key = JSON.stringify([tenant, clusterId, declarations]);
    const known = entry.inventories.get(key);
    if (known !== undefined) return known;
    const now = this.#options.now ?? Date.now;
    const made = new Inventory({ device: entry.device, tenant, clusterId, declarations, now });
    entry.inventories.set(key, made);
    return made;
  }

  async #entryOf(provider: string, config: BigipConfig, signal: AbortSignal): Promise<Entry> {
    const { caSecretName } = config.tls ?? {};
    const credentials = await this.#secrets.read(config.credentials.secretName, signal);
    const authority = caSecretName === undefined ? undefined : await this.#secrets.read(caSecretName, signal);
    const { credentials: who, deviceGroup, devices, timeouts, tls } = config;
    const digest = createHash('sha256')
      .update(JSON.stringify([credentials, authority ?? {}]))
      .digest('hex');
    const key = JSON.stringify([devices, who, deviceGroup, timeouts, tls, digest]);
    const entry = this.#entries.get(key) ?? this.#make(config, credentials, authority);
    entry.askedAt = performance.now();
    this.#entries.set(key, entry);
    this.#latest.set(provider, key);
    this.#dropFormer();
    return entry;
  }

  #make(
    { credentials, deviceGroup, devices, timeouts, tls }: BigipConfig,
    secret: Readonly<Record<string, string>>,
    authority: Readonly<Record<string, string>> | undefined,
  ): Entry {
    const { username, password } = secret;
    if (username === undefined || password === undefined) {
      throw missing(credentials.secretName, 'username and password');
    }
    const ca = authority?.['ca.crt'];
    if (authority !== undefined && ca === undefined) throw missing(tls?.caSecretName ?? '', 'ca.crt');
    const { callSeconds = 30, declarationSeconds = 300 } = timeouts ?? {};
    const units = devices.map(
      (device) =>
        new Unit({
          device,
          tls: { ca, fingerprints: tls?.fingerprints, serverName: tls?.serverName },
          username,
          password,
          loginProvider: credentials.loginProvider ?? 'tmos',
          callMs: callSeconds * 1000,
          observeCall: this.#options.observeCall,
        }),
    );
    const { busyMs = BUSY_MS, pollMs = POLL_MS } = this.#options;
    const device = new Device({
      units,
      queue: this.#queue,
      times: { declarationMs: declarationSeconds * 1000, pollMs, busyMs },
      deviceGroup: deviceGroup?.replace(/^\/Common\//, ''),
    });
    return { device, inventories: new Map(), askedAt: 0 };
  }

  #dropFormer(): void {
    const wanted = new Set(this.#latest.values());
    const before = performance.now() - FORMER_MS;
    for (const [key, { askedAt, device }] of this.#entries) {
      if (wanted.has(key) || askedAt >= before) continue;
      this.#entries.delete(key);
      void device.close();
    }
  }
}

/** Tried again all the same: the operator isn't told of changes of Secrets. */
function missing(secret: string, keys: string): ClassedError {
  return new ClassedError(`Secret "${secret}" lacks ${keys}`, {
    class: 'Transient',
    reason: 'SecretIncomplete',
    retryAfterSeconds: 30,
  });
}
