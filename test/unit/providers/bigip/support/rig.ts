import { createBigipProvider } from '../../../../../providers/bigip/bigip.ts';
import { tenantPath, wholeTenantBody } from '../../../../../providers/bigip/calls/as3.ts';
import { Unit } from '../../../../../providers/bigip/calls/unit.ts';
import type { BigipChange } from '../../../../../providers/bigip/changes.ts';
import type { BigipModel } from '../../../../../providers/bigip/model.ts';
import type { BigipObserved } from '../../../../../providers/bigip/observed.ts';
import type {
  DesiredLoadBalancer,
  LoadBalancerId,
  Provider,
  ProviderStatus,
} from '../../../../../providers/provider.ts';
import type { BigIpOptions, BigIpPeer } from '../../../../peers/bigip/bigip-peer.ts';
import { startBigIp } from '../../../../peers/bigip/bigip-peer.ts';
import { CLUSTER, desire, TENANT, type Wishes } from './desired.ts';

/** A device, and the provider as the operator has it. */
export class Rig {
  readonly peer: BigIpPeer;
  readonly secrets: Record<string, Record<string, string>>;
  provider: Provider<BigipModel, BigipObserved, BigipChange>;
  /** ms since 1970, as the provider sees it. */
  now = Date.parse('2026-11-21T12:00:00Z');
  #process = new AbortController();

  private constructor(peer: BigIpPeer) {
    this.peer = peer;
    this.secrets = {
      f5: { ...peer.credentials },
      'f5-ca': { 'ca.crt': peer.units.map(({ ca }) => ca).join('\n') },
    };
    this.provider = this.#make();
  }

  static async start(options: BigIpOptions = {}): Promise<Rig> {
    return new Rig(await startBigIp(options));
  }

  async stop(): Promise<void> {
    await this.peer.stop();
  }

  get signal(): AbortSignal {
    return this.#process.signal;
  }

  /** Another process, which knows nothing; what runs in this one is cut off. */
  restartOperator(): void {
    this.#process.abort();
    this.#process = new AbortController();
    this.provider = this.#make();
  }

  #make() {
    return createBigipProvider({
      readSecret: async (name) => {
        const secret = this.secrets[name];
        if (secret === undefined) throw new Error(`no Secret ${name}`);
        return secret;
      },
      now: () => this.now,
      pollMs: 5,
      busyMs: 20,
    });
  }

  /** A Service of this device. */
  desire({ bigip, ...wishes }: Wishes = {}): DesiredLoadBalancer {
    return desire({
      ...wishes,
      bigip: {
        devices: this.peer.units.map(({ url }) => new URL(url).host),
        tls: { caSecretName: 'f5-ca' },
        ...(this.peer.group === undefined ? {} : { deviceGroup: this.peer.group }),
        ...bigip,
      },
    });
  }

  /** As the operator does it: build, observe, diff, apply. Answers the changes that were made. */
  async bring(desired: DesiredLoadBalancer): Promise<BigipChange[]> {
    const { provider, signal } = this;
    const changes = await this.compare(desired);
    for (const change of changes) await provider.apply(change, desired, signal);
    return changes;
  }

  /** All of them as one tenant, past the provider: as if they had been there for long. */
  async declareAtOnce(all: readonly DesiredLoadBalancer[]): Promise<void> {
    const models = all.map((each) => this.provider.build(each));
    const applications = Object.fromEntries(
      models.map(({ application, declaration }) => [application, declaration]),
    );
    const { username, password } = this.peer.credentials;
    const unit = new Unit({
      device: new URL(this.peer.active.url).host,
      tls: { ca: this.secrets['f5-ca']?.['ca.crt'] },
      username,
      password,
      loginProvider: 'tmos',
      callMs: 60_000,
    });
    const body = wholeTenantBody(TENANT, applications, '3.56.0');
    const path = tenantPath(TENANT);
    await unit.call({ method: 'POST', path, body, operation: 'POST declare', signal: this.signal });
    await unit.close();
  }

  async compare(desired: DesiredLoadBalancer): Promise<BigipChange[]> {
    const model = this.provider.build(desired);
    return this.provider.diff(model, await this.provider.observe(desired, undefined, this.signal));
  }

  async remove({ id, provider: scope }: DesiredLoadBalancer): Promise<BigipChange[]> {
    const { provider, signal } = this;
    const subject = { id, provider: scope };
    const changes = provider.diff(undefined, await provider.observe(subject, undefined, signal));
    for (const change of changes) await provider.apply(change, subject, signal);
    return changes;
  }

  async status(desired: DesiredLoadBalancer): Promise<ProviderStatus> {
    const observed = await this.provider.observe(desired, undefined, this.signal);
    return this.provider.status(this.provider.build(desired), observed);
  }

  /** Reads the device anew, as at each interval. */
  async refresh({ provider }: DesiredLoadBalancer): Promise<LoadBalancerId[]> {
    return (await this.provider.refresh?.(provider, CLUSTER, this.signal)) ?? [];
  }
}

/** The error of what has to fail. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error,
  );
}
