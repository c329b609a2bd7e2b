import { existsSync, readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Logger } from '../kube/log.ts';
import { DecisionMaker, LOOK_AGAIN_MS, withCertificateFaults } from './decide-structure.ts';
import { diffServers } from './haproxy/diff-servers.ts';
import { type EdgeFiles, HaproxyProcess } from './haproxy/haproxy-process.ts';
import { HeldAddresses } from './haproxy/hold-addresses.ts';
import { askWorker, tellWorker } from './haproxy/master-socket.ts';
import { OldWorkers } from './haproxy/old-workers.ts';
import { type ProxyState, readStat, type WorkerInfo } from './haproxy/read-state.ts';
import { LeavingServers } from './leaving-servers.ts';
import { LoadedServices } from './loaded-services.ts';
import type { EdgeModel, Fault, ServiceModel } from './model.ts';
import {
  DESCRIPTION_PREFIX,
  type RenderedConfig,
  type RenderOptions,
  renderConfig,
} from './render-config.ts';
import { resolveServices } from './services/resolve-services.ts';
import { TurnLoop } from './turn-loop.ts';
import type { Keepalived } from './vrrp/keepalived.ts';
import { writeFileWhole } from './write-file-whole.ts';

export interface Wanted {
  model: EdgeModel;
  /** Where addresses are added; undefined: nowhere. */
  device: string | undefined;
  /** By which edges agree who of them has the addresses; undefined: each has them. */
  virtualRouterID: number | undefined;
}

export interface KeeperOptions {
  /** Of this edge. */
  name: string;
  files: EdgeFiles;
  /** What shares the addresses with other edges, where they do. */
  keepalived: Keepalived;
  /** The program. */
  haproxy: string;
  render: RenderOptions;
  /** What ought to be; undefined while that isn't known: all stays as it is. */
  wanted: () => Promise<Wanted | undefined>;
  /** Told which files of certificates are served, when that is known. */
  onCertificates: (files: Iterable<string>) => void;
  /** Called after each turn, and when somebody is found to be at fault. */
  onTurn: () => void;
  log: Logger;
}

/** What there is, for reports and metrics. */
export interface EdgeState {
  worker: WorkerInfo | undefined;
  /** Workers before it that have connections still. */
  oldWorkers: number;
  /** What the worker was given last. */
  loaded: ReadonlyMap<string, ServiceModel>;
  /** What it is to have by now, targets among it. */
  services: ReadonlyMap<string, ServiceModel>;
  proxies: ReadonlyMap<string, ProxyState>;
  faults: ReadonlyMap<string, Fault>;
  certificates: EdgeModel['certificates'];
  /** What keeps anything from being changed. */
  fatal: Fault | undefined;
  draining: number;
}

export interface KeeperCounts {
  reloads: number;
  failedReloads: number;
  commands: number;
}

const TICK_MS = 1_000;
/** Structural changes within this time are one reload. */
const RELOAD_INTERVAL_MS = 1_000;
/** Adding, maintenance, deletion: what one round of commands makes possible, the next one does. */
const ROUNDS = 3;

/** Keeps the HAProxy of this machine what it ought to be: one turn after the other, each from what there is. */
export class EdgeKeeper {
  readonly counts: KeeperCounts = { reloads: 0, failedReloads: 0, commands: 0 };
  readonly #options: KeeperOptions;
  readonly #process: HaproxyProcess;
  readonly #loaded: LoadedServices;
  readonly #held: HeldAddresses;
  readonly #leaving: LeavingServers;
  readonly #oldWorkers: OldWorkers;
  readonly #decisions: DecisionMaker;
  #nextReloadAt = 0;
  #state: EdgeState;
  readonly #turns = new TurnLoop(
    () =>
      this.#turn()
        .catch((error: unknown) => this.#fail(error))
        .finally(() => this.#options.onTurn()),
    () => this.#untilNextTurn(),
  );

  constructor(options: KeeperOptions) {
    const { files, haproxy, log } = options;
    this.#options = options;
    this.#process = new HaproxyProcess(haproxy, files, log);
    this.#decisions = new DecisionMaker({ candidate: files.candidate, haproxy, render: options.render, log });
    this.#loaded = new LoadedServices(files.loaded);
    this.#held = new HeldAddresses(files.addresses);
    this.#leaving = new LeavingServers(files.leaving);
    this.#oldWorkers = new OldWorkers({ socket: files.socket, file: files.leavingOld, log });
    this.#state = {
      worker: undefined,
      oldWorkers: 0,
      loaded: this.#loaded.byKey,
      services: new Map(),
      proxies: new Map(),
      faults: new Map(),
      certificates: new Map(),
      fatal: undefined,
      draining: 0,
    };
  }

  get state(): EdgeState {
    return this.#state;
  }

  /** Takes a turn soon: something changed. */
  touch(): void {
    this.#turns.touch();
  }

  /** Finishes the turn that runs. HAProxy goes on. */
  async stop(): Promise<void> {
    await this.#turns.stop();
  }

  #untilNextTurn(): number {
    const untilReload = this.#nextReloadAt - performance.now();
    return untilReload > 0 ? Math.min(TICK_MS, untilReload) : TICK_MS;
  }

  async #turn(): Promise<void> {
    const { files, render } = this.#options;
    const wanted = await this.#options.wanted();
    let worker = await this.#process.info();
    if (wanted === undefined) {
      // What was served last is better than nothing, before anybody says what ought to be.
      if (existsSync(files.config)) worker ??= await this.#process.ensure();
      this.#options.keepalived.ensure();
      this.#state = { ...this.#state, worker };
      return;
    }
    const { model, virtualRouterID } = wanted;
    // What keepalived adds, the edge leaves to it.
    const device = virtualRouterID === undefined ? wanted.device : undefined;
    const asWanted = renderConfig(model, render);
    const decision = await this.#decisions.decide(model, asWanted.digest, {
      worker,
      loaded: this.#loaded.byKey,
      // Beside those of before: which of these are over isn't known yet.
      onFaults: (found) =>
        this.#tellNewFaults(withCertificateFaults(new Map([...this.#state.faults, ...found]), model), model),
    });
    const faults = withCertificateFaults(decision.faults, model);
    this.#tellNewFaults(faults, model);
    const services = resolveServices(model.services, decision.faults, decision.instead);
    const config = decision.faults.size === 0 ? asWanted : renderConfig({ ...model, services }, render);
    worker ??= await this.#start(config, services, device, decision.fatal);
    const isLoaded = () => worker?.description === `${DESCRIPTION_PREFIX}${config.digest}`;
    if (!isLoaded() && decision.fatal === undefined && performance.now() >= this.#nextReloadAt) {
      worker = await this.#load(config, services, device);
    }
    // Before what is known of the worker that serves takes the place of what was known of the one before.
    const times = { since: this.#leaving.since, now: uptime() };
    const oldWorkers = await this.#oldWorkers.follow(services, times);
    const { draining, proxies } = await this.#followTargets(services);
    if (isLoaded()) {
      if (readText(files.config) !== config.text) writeFileWhole(files.config, config.text);
      this.#loaded.set(config.digest, services);
      await this.#held.add(addressesOf(services), device);
      await this.#held.keepOnly(addressesOf(services), device);
      this.#shareAddresses(wanted, addressesOf(services));
      this.#options.onCertificates(filesOf(services));
    }
    this.#state = {
      worker,
      oldWorkers,
      loaded: this.#loaded.byKey,
      services: new Map(services.map((service) => [service.key, service])),
      proxies,
      faults,
      certificates: model.certificates,
      fatal: decision.fatal,
      draining,
    };
  }

  /** Before a reload, which takes its time: whoever is at fault can mend it meanwhile. */
  #tellNewFaults(faults: ReadonlyMap<string, Fault>, { certificates }: EdgeModel): void {
    if ([...faults.keys()].every((key) => this.#state.faults.has(key))) return;
    this.#state = { ...this.#state, certificates, faults };
    this.#options.onTurn();
  }

  #shareAddresses({ device, virtualRouterID }: Wanted, addresses: readonly string[]): void {
    const { keepalived, name } = this.#options;
    const isShared = virtualRouterID !== undefined && device !== undefined;
    keepalived.follow(isShared ? { name, device, virtualRouterID, addresses } : undefined);
  }

  /** Nothing runs: there is nothing to be disturbed. */
  async #start(
    config: RenderedConfig,
    services: readonly ServiceModel[],
    device: string | undefined,
    fatal: Fault | undefined,
  ): Promise<WorkerInfo> {
    if (fatal === undefined) {
      await this.#held.add(addressesOf(services), device);
      writeFileWhole(this.#options.files.config, config.text);
    }
    return await this.#process.ensure();
  }

  /** Puts a new structure in place; when HAProxy doesn't come up with it, the file is again what it was. */
  async #load(
    config: RenderedConfig,
    services: readonly ServiceModel[],
    device: string | undefined,
  ): Promise<WorkerInfo> {
    const { files, log } = this.#options;
    const before = readText(files.config);
    await this.#held.add(addressesOf(services), device);
    writeFileWhole(files.config, config.text);
    this.#nextReloadAt = performance.now() + RELOAD_INTERVAL_MS;
    const startedAt = performance.now();
    try {
      const worker = await this.#process.reload(`${DESCRIPTION_PREFIX}${config.digest}`);
      this.counts.reloads++;
      log.info('Reloaded', { services: services.length, ms: Math.round(performance.now() - startedAt) });
      return worker;
    } catch (error) {
      this.counts.failedReloads++;
      writeFileWhole(files.config, before);
      // Each try makes HAProxy pause: not before something changed, or after a while.
      this.#nextReloadAt = performance.now() + LOOK_AGAIN_MS;
      throw error;
    }
  }

  /** Servers come and go in the worker that runs. */
  async #followTargets(
    services: readonly ServiceModel[],
  ): Promise<{ draining: number; proxies: Map<string, ProxyState> }> {
    const { files, log } = this.#options;
    for (let round = 1; ; round++) {
      const proxies = readStat(await askWorker(files.socket, 'show stat -1 7 -1'));
      const times = { since: this.#leaving.since, now: uptime() };
      const { commands, leaving } = diffServers(services, proxies, times);
      this.#leaving.set(leaving);
      if (commands.length === 0 || round > ROUNDS) return { draining: leaving.size, proxies };
      this.counts.commands += commands.length;
      const said = await tellWorker(files.socket, commands);
      log.debug('TargetsChanged', { commands: commands.length, said: said.trim().slice(0, 500) });
    }
  }

  #fail(error: unknown): void {
    this.#options.log.error('TurnFailed', { error });
    const message = error instanceof Error ? error.message : String(error);
    this.#state = { ...this.#state, fatal: { reason: 'HaproxyFailed', message } };
  }
}

function filesOf(services: readonly ServiceModel[]): string[] {
  return services.flatMap(({ frontends }) => frontends.flatMap(({ tls }) => tls?.files ?? []));
}

function addressesOf(services: readonly ServiceModel[]): string[] {
  return [...new Set(services.flatMap(({ frontends }) => frontends.flatMap(({ addresses }) => addresses)))];
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}
