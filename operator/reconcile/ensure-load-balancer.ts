import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import { isClass } from '../../kube/errors.ts';
import type { Service } from '../../kube/objects.ts';
import type { Finding, OptionsReading, ProviderStatus } from '../../providers/provider.ts';
import { loadBalancerName } from '../plan/names.ts';
import type { Choice } from '../plan/select-providers.ts';
import { describeRefusal } from '../status/describe-refusal.ts';
import { REASONS } from '../status/reasons.ts';
import type { ReconcileContext } from './context.ts';
import type { Ensured, EnsureInput } from './ensured.ts';
import { LoadBalancerWriter } from './load-balancer-writer.ts';
import { type LoadBalancerPlan, LoadBalancerPlanner } from './plan-load-balancer.ts';
import { openGates } from './pod-gates.ts';
import { findInvalid, readOptions, refuseLoadBalancer } from './refuse-load-balancer.ts';
import { keepAsItIs, notCarriedOut } from './stand-still.ts';
import { syncProvider } from './sync-provider.ts';

/** Brings the LoadBalancer of a Service at one provider to what it ought to be, claims first. */
export class LoadBalancerEnsurer {
  readonly #context: ReconcileContext;
  readonly #writer: LoadBalancerWriter;
  readonly #planner: LoadBalancerPlanner;

  constructor(context: ReconcileContext) {
    this.#context = context;
    this.#writer = new LoadBalancerWriter(context);
    this.#planner = new LoadBalancerPlanner(context);
  }

  /**
   * Reservations for load balancers that a Service doesn't want any more, with no LoadBalancer to stand for them: it was
   * deleted past us, or the write that was to make it got no answer. Where there is none, its claims are free.
   */
  async forgetUnwanted(serviceKey: string, choices: readonly Choice[]): Promise<void> {
    const { caches, claims } = this.#context;
    const wanted = new Set(choices.map(({ name }) => loadBalancerName(serviceKey, name)));
    for (const owner of claims.reservedOf(serviceKey)) {
      if (wanted.has(owner) || caches.freshLoadBalancers.get(owner) !== undefined) continue;
      if (!(await this.#writer.isThere(owner))) claims.settleAddresses(owner);
    }
  }

  /** Whether this provider doesn't take the Service, and has nothing of it. */
  isInVain(service: Service, choice: Choice): boolean {
    const key = keyFor(service, choice);
    const isThere = this.#context.caches.freshLoadBalancers.get(key) !== undefined;
    const reading = readOptions(this.#context, service, choice.provider);
    return !isThere && this.#refuse(key, service, choice, reading) !== undefined;
  }

  #refuse(
    key: string,
    service: Service,
    { refusal, provider }: Choice,
    reading: OptionsReading | undefined,
  ): Finding | undefined {
    const existing = this.#context.caches.freshLoadBalancers.get(key);
    return (
      refusal ?? findInvalid(reading) ?? refuseLoadBalancer(this.#context, key, service, provider, existing)
    );
  }

  async ensure(input: EnsureInput): Promise<Ensured> {
    const { choice, service } = input;
    const key = keyFor(service, choice);
    await this.#writer.readBack(key);
    const existing = this.#context.caches.freshLoadBalancers.get(key);
    const reading = readOptions(this.#context, service, choice.provider);
    const refusal = this.#refuse(key, service, choice, reading);
    // Without the numbers that it must have, nothing is begun: they would have to be changed under its users.
    const lacksPorts = input.portOutcome.finding !== undefined && existing === undefined;
    if (refusal !== undefined || choice.provider === undefined || lacksPorts) {
      return keepAsItIs(this.#context, key, input, existing, refusal);
    }

    const plan = this.#planner.plan(key, choice.provider, existing, input, reading);
    let written: LoadBalancer;
    try {
      written = await this.#writer.write(key, plan.desired, existing);
    } catch (error) {
      if (!isClass(error, 'Rejected')) throw error;
      const finding = { reason: REASONS.syncFailed, message: describeRefusal(error) };
      return { ...keepAsItIs(this.#context, key, input, existing, finding), failure: error };
    }
    const wrote = written === existing ? undefined : existing === undefined ? 'Created' : 'Updated';
    return { ...(await this.#carryOut(written, choice.provider, plan, input)), wrote };
  }

  /** The provider's part, for what is claimed. */
  async #carryOut(
    written: LoadBalancer,
    provider: LoadBalancerProvider,
    plan: LoadBalancerPlan,
    input: EnsureInput,
  ): Promise<Ensured> {
    const { choice, portOutcome, beforeExternal, signal } = input;
    if (written.spec.targets.mode === 'Pod') await this.#context.caches.targets.need(signal);
    const synced = await syncProvider(this.#context, {
      loadBalancer: written,
      provider,
      beforeExternal,
      signal,
    });
    if (synced.kind === 'failed') return notCarriedOut(this.#context, written, plan, input, synced.failure);
    const status = withKnownTargets(synced.status, written);
    await openGates(this.#context, written, status);
    const ingress = synced.addressesFromPools
      ? plan.addresses.flatMap(({ address }) => synced.status.ingress.find(({ ip }) => ip === address) ?? [])
      : synced.status.ingress;
    const texts = synced.addressesFromPools
      ? plan.addresses.map(({ address }) => address)
      : ingress.flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
    return {
      outcome: {
        provider: choice.name,
        ports: portOutcome,
        addresses: { texts, finding: plan.refused, own: !synced.addressesFromPools },
        programmed: { finding: synced.status.notProgrammed },
        outside: {
          status,
          compared: this.#context.providers.get(written.spec.provider.type)?.refresh !== undefined,
          drift: synced.drift,
        },
        notes: plan.notes,
      },
      ingress,
      status,
      applied: synced.applied,
      loadBalancer: written,
      againAfterSeconds: soonest(plan.againAfterSeconds, synced.status.againAfterSeconds),
    };
  }
}

function keyFor({ metadata: { namespace = '', name } }: Service, choice: Choice): string {
  return `${namespace}/${loadBalancerName(name, choice.name)}`;
}

/** What nobody asked for since this process started is as it was told last. */
function withKnownTargets(status: ProviderStatus, { status: before }: LoadBalancer): ProviderStatus {
  const { notProgrammed, targets, unhealthy } = status;
  const isTold = targets !== undefined || unhealthy !== undefined || notProgrammed !== undefined;
  // Of one without a healthy target, health is asked for.
  if (isTold || before?.targets === undefined || before.targets.healthy === 0) return status;
  return { ...status, targets: before.targets };
}

function soonest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
