import { isDeepStrictEqual } from 'node:util';
import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { isClass } from '../../kube/errors.ts';
import type { Service } from '../../kube/objects.ts';
import type { ReconcileResult } from '../../kube/workqueue.ts';
import { decideService, type ServiceDecision, type ServiceView } from '../plan/decide-service.ts';
import { hasFinalizer } from '../plan/names.ts';
import { REASONS } from '../status/reasons.ts';
import { type ClaimedPorts, claimPorts } from './claim-ports.ts';
import type { ReconcileContext } from './context.ts';
import { refusedAgainMs } from './drift-interval.ts';
import { LoadBalancerEnsurer } from './ensure-load-balancer.ts';
import type { Ensured } from './ensured.ts';
import { Keeper } from './keep-up.ts';
import { LoadBalancerReleaser, lookAgain, type Unreleased } from './release-load-balancer.ts';
import { releaseService, releaseStrangers } from './release-service.ts';
import { type Retirement, Retirer } from './retire-load-balancers.ts';
import { serves, tellHeld, tellServed, writeStatus } from './tell-service.ts';
import type { Waiting } from './waiting.ts';
import { refusalToRetry, refusingProviders, waitsFor } from './what-holds-up.ts';

const DONE: ReconcileResult = { kind: 'done' };

type Serve = Extract<ServiceDecision, { kind: 'serve' }>;
type Hold = Extract<ServiceDecision, { kind: 'hold' }>;

/** Brings one Service to what it ought to be, from whatever state it is in. */
export class ServiceReconciler {
  readonly #context: ReconcileContext;
  readonly #ensurer: LoadBalancerEnsurer;
  readonly #releaser: LoadBalancerReleaser;
  readonly #retirer: Retirer;
  readonly #keeper: Keeper;
  readonly #waiting: Pick<Waiting, 'begin' | 'end'>;

  constructor(context: ReconcileContext, waiting: Pick<Waiting, 'begin' | 'end'>) {
    this.#context = context;
    this.#ensurer = new LoadBalancerEnsurer(context);
    this.#releaser = new LoadBalancerReleaser(context);
    this.#retirer = new Retirer(context.compiled);
    this.#keeper = new Keeper(context);
    this.#waiting = waiting;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    try {
      const view = this.#fetch(key);
      const decision = decideService(view);
      if (decision.kind === 'hold' || decision.kind === 'serve') this.#waiting.begin(key);
      else this.#waiting.end(key, 'nothing');
      switch (decision.kind) {
        case 'ignore':
          this.#context.claims.letGoOfService(key);
          this.#context.reminders.forget(key);
          this.#retirer.forget(key);
          return DONE;
        case 'release': {
          this.#retirer.forget(key);
          for (const each of decision.loadBalancers) this.#keeper.forget(each);
          const released = await releaseService(this.#context, this.#releaser, decision, signal);
          if (released.kind === 'done') this.#context.reminders.forget(key);
          return released;
        }
        case 'clear':
          return await releaseStrangers(this.#context, this.#releaser, decision, signal);
        case 'hold':
          return await this.#hold(decision, signal).finally(() => this.#waiting.end(key, 'objects'));
        case 'serve':
          return await this.#serve(key, view, decision, signal).catch((error: unknown) => {
            this.#waiting.end(key, 'objects');
            throw error;
          });
      }
    } catch (error) {
      // Gone meanwhile: the watch says so, and that is another turn.
      if (isClass(error, 'NotFound')) return DONE;
      return { kind: 'failed', error, terminal: isClass(error, 'Rejected') };
    }
  }

  #fetch(key: string): ServiceView {
    const { caches, compiled } = this.#context;
    const namespace = key.slice(0, key.indexOf('/'));
    return {
      service: caches.freshServices.get(key),
      owned: caches.freshLoadBalancers.byGroup(key),
      namespaceLabels: caches.namespaces.store.get(namespace)?.metadata.labels,
      providers: compiled.providers,
    };
  }

  /** Nothing new is decided; but for one that is paused, what serves follows nodes and pods. */
  async #hold(decision: Hold, signal: AbortSignal): Promise<ReconcileResult> {
    const told = await tellHeld(this.#context, decision);
    if (decision.finding.reason === REASONS.paused) return told;
    const failures = await this.#keeper.keepUp(decision.loadBalancers, signal);
    return failures.length === 0 ? told : { kind: 'failed', error: failures[0], terminal: false };
  }

  /** Ports, then addresses and the LoadBalancers that say them, then the Service's status, then what is not wanted. */
  async #serve(
    key: string,
    view: ServiceView,
    decision: Serve,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { surplus } = decision;
    await this.#ensurer.forgetUnwanted(key, decision.choices);
    const ports = await this.#claimPorts(key, view, decision);
    const { service: asEnsured, ensured } = await this.#ensureAll(view, decision, ports, signal);
    this.#context.claims.settlePorts(key);
    const retirement = this.#retirer.plan(key, surplus, ensured.every(serves));
    const keeping = [...retirement.serving, ...refusedOf(ensured)];
    let service = asEnsured;
    const leftOver = () => [
      ...this.#keeper.findingsOf(keeping),
      ...this.#releaser.findingsOf(retirement.due),
    ];
    const tell = async (ensured: readonly Ensured[]) => {
      const findings = [...decision.findings, ...ports.notes, ...retirement.findings, ...leftOver()];
      const { showProviders: providers = 'First' } = decision.wishes;
      return await tellServed(this.#context, { service, ensured, surplus, findings, providers });
    };
    // Before anybody is asked about what is left: who serves now is told first.
    const told = leftOver();
    service = await tell(ensured);

    const failures = await this.#keeper.keepUp(keeping, signal);
    const unreleased: Unreleased[] = [];
    for (const loadBalancer of retirement.due) {
      const left = await this.#releaser.release(loadBalancer, service, signal);
      if (left !== undefined) unreleased.push(left);
      this.#keeper.forget(loadBalancer);
    }
    if (!isDeepStrictEqual(told, leftOver())) {
      await tell(ensured.map((each) => ({ ...each, wrote: undefined })));
    }
    return lookAgain(unreleased, this.#follow(key, ensured, failures, retirement));
  }

  async #claimPorts(
    key: string,
    view: ServiceView,
    { service, wishes, choices }: Serve,
  ): Promise<ClaimedPorts> {
    const before = view.owned[0] ?? this.#context.claims.departedOf(key);
    const required =
      wishes.portPool !== undefined ||
      choices.some(({ provider }) => provider?.spec.targets?.mode === 'ForwardingPort');
    // Ports for what isn't to be would be free again at the end of the turn.
    const inVain = choices.length > 0 && choices.every((choice) => this.#ensurer.isInVain(service, choice));
    return await claimPorts(this.#context, {
      service,
      inVain,
      namespaceLabels: view.namespaceLabels,
      before: before?.spec.frontends,
      required,
    });
  }

  /** All providers at once, claims in the order in which they were asked for: one that doesn't answer holds up none of the others. */
  async #ensureAll(
    { namespaceLabels }: ServiceView,
    { wishes, choices }: Serve,
    ports: ClaimedPorts,
    signal: AbortSignal,
  ): Promise<{ service: Service; ensured: Ensured[] }> {
    const { claims, outcome, service } = ports;
    let marking: Promise<Service> | undefined;
    const beforeExternal = async () => {
      marking ??= this.#setFinalizer(service);
      await marking;
    };
    const ensuring = choices.map((choice, index) =>
      this.#ensurer.ensure({
        service,
        wishes,
        choice,
        feedsService: index === 0 && service.spec.type === 'LoadBalancer',
        namespaceLabels,
        ports: claims,
        portOutcome: outcome,
        beforeExternal,
        signal,
      }),
    );
    // The turn isn't over before the last of them is: the next one would find it at work.
    const settled = await Promise.allSettled(ensuring);
    const ensured = settled.map((each) => {
      if (each.status === 'rejected') throw each.reason;
      return each.value;
    });
    return { service: (await marking) ?? service, ensured };
  }

  async #setFinalizer(service: Service): Promise<Service> {
    if (hasFinalizer(service)) return service;
    return await writeStatus(this.#context, service, { finalizer: true });
  }

  /** Whether to look again, and what to wait for. */
  #follow(
    key: string,
    ensured: readonly Ensured[],
    ofKept: readonly unknown[],
    { nextSeconds }: Retirement,
  ): ReconcileResult {
    this.#waiting.end(key, waitsFor(ensured));
    const failures = [
      ...ensured.flatMap(({ failure }) => (failure === undefined ? [] : [failure])),
      ...ofKept,
    ];
    const passing = failures.find((failure) => !isClass(failure, 'Rejected'));
    if (passing !== undefined) return { kind: 'failed', error: passing, terminal: false };
    const [soonest] = [nextSeconds, ...ensured.map(({ againAfterSeconds }) => againAfterSeconds)]
      .flatMap((seconds) => seconds ?? [])
      .sort((a, b) => a - b);
    if (soonest !== undefined) return { kind: 'retryAfter', seconds: soonest, reason: 'LookAgain' };
    const retried = refusalToRetry(ensured);
    if (retried !== undefined) return { kind: 'failed', error: retried, terminal: false };
    const [rejected] = failures;
    if (rejected === undefined) return DONE;
    return { kind: 'failed', error: rejected, terminal: true, againAfterMs: this.#refusedAgainMs(ensured) };
  }

  /** undefined: no provider refused anything. */
  #refusedAgainMs(ensured: readonly Ensured[]): number | undefined {
    const { compiled, driftIntervalMs } = this.#context;
    const times = refusingProviders(ensured).map((name) =>
      refusedAgainMs(compiled.providers.get(name)?.object, driftIntervalMs),
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }
}

/** Those that are there, and of which nothing new may be decided. */
function refusedOf(ensured: readonly Ensured[]): LoadBalancer[] {
  return ensured.flatMap(({ outcome, loadBalancer }) =>
    outcome.refused === undefined || loadBalancer === undefined ? [] : [loadBalancer],
  );
}
