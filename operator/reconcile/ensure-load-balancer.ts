import type { AddressClaim, LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import { isClass } from '../../kube/errors.ts';
import type { LoadBalancerIngress, Service } from '../../kube/objects.ts';
import type { Finding, OptionsReading, ProviderStatus } from '../../providers/provider.ts';
import { providerTypeOf } from '../../providers/registry.ts';
import { takesFromPools } from '../../providers/takes-from-pools.ts';
import { buildLoadBalancer, type PortClaim } from '../plan/build-load-balancer.ts';
import { checkPorts } from '../plan/check-ports.ts';
import { checkQuota } from '../plan/check-quota.ts';
import { isBeingDeleted, loadBalancerName } from '../plan/names.ts';
import type { AnnotatedWishes } from '../plan/read-annotations.ts';
import { retireAddresses } from '../plan/retire-addresses.ts';
import type { Choice } from '../plan/select-providers.ts';
import type { Outcome } from '../status/build-conditions.ts';
import { describeFailure, describeRefusal } from '../status/describe-refusal.ts';
import { REASONS } from '../status/reasons.ts';
import { claimAddresses } from './claim-addresses.ts';
import type { ReconcileContext } from './context.ts';
import { LoadBalancerWriter } from './load-balancer-writer.ts';
import { openGates } from './pod-gates.ts';
import { SettleClock } from './settle-clock.ts';
import { asIngress, shownAddresses, shownIngress, toIngress } from './shown-ingress.ts';
import { syncProvider } from './sync-provider.ts';

export interface EnsureInput {
  service: Service;
  wishes: AnnotatedWishes;
  choice: Choice;
  /** Whether this one's addresses are shown in the Service's status. */
  feedsService: boolean;
  namespaceLabels: Readonly<Record<string, string>> | undefined;
  ports: readonly PortClaim[];
  portOutcome: Outcome['ports'];
  /** Called before anything is made outside the cluster: the finalizer is on the Service afterwards. */
  beforeExternal: () => Promise<void>;
  signal: AbortSignal;
}

/** How one load balancer stands after a turn. */
export interface Ensured {
  outcome: Outcome;
  ingress: LoadBalancerIngress[];
  /** As the provider says; undefined: it didn't come so far. */
  status?: ProviderStatus | undefined;
  /** Digest of what is carried out wholly. */
  applied?: string | undefined;
  loadBalancer?: LoadBalancer | undefined;
  wrote?: 'Created' | 'Updated' | undefined;
  /** Again after this, though nothing changes: an address is on its way out. */
  againAfterSeconds?: number | undefined;
  /** What the API server refused, or the provider's error: told, and tried again where that may help. */
  failure?: unknown;
}

/** What was decided, before anything is written. */
interface Plan {
  desired: LoadBalancer;
  /** Without those on their way out. */
  addresses: AddressClaim[];
  /** The provider brings addresses of its own. */
  own?: boolean;
  refused?: Finding | undefined;
  notes: Finding[];
  againAfterSeconds?: number | undefined;
}

/** Brings the LoadBalancer of a Service at one provider to what it ought to be, claims first. */
export class LoadBalancerEnsurer {
  readonly #context: ReconcileContext;
  readonly #writer: LoadBalancerWriter;
  readonly #settling = new SettleClock();

  constructor(context: ReconcileContext) {
    this.#context = context;
    this.#writer = new LoadBalancerWriter(context);
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

  async ensure(input: EnsureInput): Promise<Ensured> {
    const { choice, service } = input;
    const { namespace = '', name } = service.metadata;
    const key = `${namespace}/${loadBalancerName(name, choice.name)}`;
    await this.#writer.readBack(key);
    const existing = this.#context.caches.freshLoadBalancers.get(key);
    const reading = this.#readOptions(service, choice.provider);
    const refusal =
      choice.refusal ?? findInvalid(reading) ?? this.#refuse(key, service, choice.provider, existing);
    // Without the numbers that it must have, nothing is begun: they would have to be changed under its users.
    const lacksPorts = input.portOutcome.finding !== undefined && existing === undefined;
    if (refusal !== undefined || choice.provider === undefined || lacksPorts) {
      return this.#keepAsItIs(key, input, existing, refusal);
    }

    const plan = this.#plan(key, choice.provider, existing, input, reading);
    let written: LoadBalancer;
    try {
      written = await this.#writer.write(key, plan.desired, existing);
    } catch (error) {
      if (!isClass(error, 'Rejected')) throw error;
      const finding = { reason: REASONS.syncFailed, message: describeRefusal(error) };
      return { ...this.#keepAsItIs(key, input, existing, finding), failure: error };
    }
    const wrote = written === existing ? undefined : existing === undefined ? 'Created' : 'Updated';
    return { ...(await this.#carryOut(written, choice.provider, plan, input)), wrote };
  }

  /** Nothing is claimed for it: what was shown is all that is known. */
  #hasOwnAddresses(existing: LoadBalancer | undefined): boolean {
    if (existing === undefined) return false;
    const { addresses = [], provider } = existing.spec;
    return addresses.length === 0 && this.#context.providers.get(provider.type)?.addressesFromPools === false;
  }

  #readOptions(service: Service, provider: LoadBalancerProvider | undefined): OptionsReading | undefined {
    const type = provider === undefined ? undefined : providerTypeOf(provider.spec);
    if (provider === undefined || type === undefined) return undefined;
    const implementation = this.#context.providers.get(type);
    return implementation?.readOptions?.(service.metadata.annotations ?? {}, provider.spec);
  }

  /** What speaks against the Service, against one that isn't there yet, or is on its way out. */
  #refuse(
    key: string,
    service: Service,
    provider: LoadBalancerProvider | undefined,
    existing: LoadBalancer | undefined,
  ): Finding | undefined {
    if (existing !== undefined && isBeingDeleted(existing)) {
      const message = `LoadBalancer "${existing.metadata.name}" is being deleted, and made anew once it is gone.`;
      return { reason: REASONS.deleting, message };
    }
    const ports = checkPorts(service);
    if (existing !== undefined || provider === undefined || ports !== undefined) return ports;
    const namespace = key.slice(0, key.indexOf('/'));
    const others = this.#context.claims.countOthers(provider.metadata.name, namespace, key);
    return checkQuota(provider, namespace, others);
  }

  /** Claims, and what is to be written. No await in here, nor between this and the quota. */
  #plan(
    key: string,
    provider: LoadBalancerProvider,
    existing: LoadBalancer | undefined,
    input: EnsureInput,
    reading: OptionsReading | undefined,
  ): Plan {
    const { service, wishes, ports, namespaceLabels } = input;
    const providerType = providerTypeOf(provider.spec) ?? 'announce';
    if (!takesFromPools(this.#context.providers.get(providerType), provider.spec)) {
      const desired = buildLoadBalancer({
        service,
        provider,
        providerType,
        wishes,
        ports,
        addresses: [],
        reading,
      });
      return { desired, addresses: [], own: true, notes: reading?.ignored ?? [] };
    }
    const claimed = claimAddresses(this.#context, {
      owner: key,
      provider: provider.metadata.name,
      service,
      namespaceLabels,
    });
    // What was written past us is no claim, and goes at once.
    const current = (existing?.spec.addresses ?? []).filter(({ address }) => claimed.before.has(address));
    const retiring = retireAddresses({
      claimed: claimed.claims,
      current,
      shown: shownAddresses(input, existing),
      settled: this.#settling.isOver(key),
      lost: claimed.lost,
    });
    const againAfterSeconds = this.#settling.follow(key, retiring.waiting);
    const desired = buildLoadBalancer({
      service,
      provider,
      providerType,
      wishes,
      ports,
      addresses: retiring.addresses,
    });
    // What is refused must not be half carried out: new ports on an address that has no room for them.
    const frozen = claimed.refused !== undefined && existing !== undefined && claimed.claims.length > 0;
    return {
      desired: frozen ? { ...desired, spec: { ...existing.spec, addresses: retiring.addresses } } : desired,
      addresses: claimed.claims,
      refused: claimed.refused,
      notes: claimed.notes,
      againAfterSeconds,
    };
  }

  /** The provider's part, for what is claimed. */
  async #carryOut(
    written: LoadBalancer,
    provider: LoadBalancerProvider,
    plan: Plan,
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
    if (synced.kind === 'failed') return notCarriedOut(written, plan, input, synced.failure);
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

  /** Nothing new may be done: what there is goes on serving. */
  #keepAsItIs(
    key: string,
    input: EnsureInput,
    existing: LoadBalancer | undefined,
    refused: Finding | undefined,
  ): Ensured {
    const claims = existing === undefined ? [] : (this.#context.claims.addresses.get(key)?.claims ?? []);
    const held = claims.map(({ address }) => address);
    // Of a move that stands still both addresses are claimed; shown is what was shown.
    const before = shownIngress(input, existing);
    const shown = before.filter(({ ip = '' }) => held.includes(ip));
    const texts = shown.length > 0 ? shown.flatMap(({ ip }) => ip ?? []) : held;
    const ingress = this.#hasOwnAddresses(existing) ? before : ingressOfHeld(held, shown, existing);
    return {
      outcome: {
        provider: input.choice.name,
        refused,
        ports: input.portOutcome,
        addresses: { texts },
        programmed: undefined,
        notes: [],
      },
      ingress,
      loadBalancer: existing,
    };
  }
}

/** Of addresses from pools, those to go on showing: what the cluster's own nodes announce needs no other that carries it out. */
function ingressOfHeld(
  held: readonly string[],
  shown: readonly LoadBalancerIngress[],
  existing: LoadBalancer | undefined,
): LoadBalancerIngress[] {
  if (shown.length > 0) return [...shown];
  return existing?.spec.provider.type === 'announce' ? held.map(toIngress) : [];
}

/** The provider failed: nothing that wasn't shown before is shown. */
function notCarriedOut(written: LoadBalancer, plan: Plan, input: EnsureInput, failure: unknown): Ensured {
  const { choice, portOutcome } = input;
  const held = (written.spec.addresses ?? []).map(({ address }) => address);
  const ingress =
    held.length > 0
      ? shownIngress(input, written).filter(({ ip = '' }) => held.includes(ip))
      : (written.status?.ingress ?? []).map(asIngress);
  const message = `Provider "${choice.name}" failed: ${describeFailure(failure)}`;
  return {
    outcome: {
      provider: choice.name,
      ports: portOutcome,
      addresses: {
        texts: plan.addresses.map(({ address }) => address),
        finding: plan.refused,
        own: plan.own,
      },
      programmed: { finding: { reason: REASONS.syncFailed, message } },
      notes: plan.notes,
    },
    ingress,
    loadBalancer: written,
    failure,
  };
}

/** What nobody asked for since this process started is as it was told last. */
function withKnownTargets(status: ProviderStatus, { status: before }: LoadBalancer): ProviderStatus {
  const { notProgrammed, targets, unhealthy } = status;
  const isTold = targets !== undefined || unhealthy !== undefined || notProgrammed !== undefined;
  // Of one without a healthy target, health is asked for.
  if (isTold || before?.targets === undefined || before.targets.healthy === 0) return status;
  return { ...status, targets: before.targets };
}

function findInvalid(reading: OptionsReading | undefined): Finding | undefined {
  const [first] = reading?.invalid ?? [];
  return (
    first && {
      reason: first.reason,
      message: reading?.invalid.map(({ message }) => message).join(' ') ?? first.message,
    }
  );
}

function soonest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
