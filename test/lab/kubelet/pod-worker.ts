import type { KubeClient } from '../../../kube/client.ts';
import { isClass } from '../../../kube/errors.ts';
import type { Logger } from '../../../kube/log.ts';
import { keyOf } from '../../../kube/resources.ts';
import type { LabNode } from '../network/addresses.ts';
import { type AddressSlots, slotAddress } from './address-slots.ts';
import { buildPodStatus, sameStatus } from './build-pod-status.ts';
import { ContainerRunner } from './container-runner.ts';
import type { LaunchContainer } from './launch-container.ts';
import { type Container, PODS, type Pod } from './pod.ts';
import { createPodNetwork, deletePodNetwork } from './pod-network.ts';
import type { PodRecord, PodRecords } from './pod-records.ts';
import { PROBE_PERIOD_ANNOTATION } from './prober.ts';

export interface PodContext {
  client: KubeClient;
  node: LabNode;
  log: Logger;
  slots: AddressSlots;
  records: PodRecords;
  launch: LaunchContainer;
}

const RETRY_MS = 250;
const DEFAULT_GRACE_SECONDS = 30;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One pod from its first sight to its end. */
export class PodWorker {
  readonly #context: PodContext;
  readonly #log: Logger;
  readonly #record: PodRecord;
  readonly #runners = new Map<string, ContainerRunner>();
  readonly #started: Promise<void>;
  #pod: Pod;
  #termination: { startedAt: number; kill: NodeJS.Timeout | undefined } | undefined;
  #cleaning: Promise<void> | undefined;
  #gone = false;
  #reporting = false;
  #reportDue = false;

  /** `record`: what an earlier life of the kubelet left running of it. */
  constructor(context: PodContext, pod: Pod, record: PodRecord | undefined) {
    this.#context = context;
    this.#pod = pod;
    this.#log = context.log.child({ pod: keyOf(pod) });
    const uid = pod.metadata.uid ?? '';
    this.#record = record ?? { uid, key: keyOf(pod), startTime: new Date().toISOString(), containers: {} };
    this.#started = this.#start(record !== undefined);
  }

  /** The newest that the API server has of it. */
  update(pod: Pod): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) this.#terminate();
    this.#report();
  }

  /** The API server has it no more: nothing of it may stay, without any grace. */
  async remove(): Promise<void> {
    this.#gone = true;
    await this.#started;
    for (const runner of this.#runners.values()) runner.kill();
    await this.#ended();
    await this.#cleanUp();
  }

  async #start(adopted: boolean): Promise<void> {
    try {
      // Deleted before it was ever started here: nothing to start.
      if (!adopted && this.#pod.metadata.deletionTimestamp !== undefined) return this.#terminate();
      await this.#createNetwork();
      for (const container of this.#pod.spec.containers) {
        const runner = this.#buildRunner(container);
        this.#runners.set(container.name, runner);
        await runner.start();
      }
      this.#log.info(adopted ? 'PodAdopted' : 'PodStarted', { addresses: this.#addresses() });
    } catch (error) {
      this.#log.error('PodFailed', { error });
    }
    this.update(this.#pod);
  }

  async #createNetwork(): Promise<void> {
    const { node, slots, records } = this.#context;
    if (this.#pod.spec.hostNetwork || this.#record.network?.complete) return;
    const { namespace, slot } = this.#record.network ?? {
      namespace: `pod-${this.#record.uid.slice(0, 13)}`,
      slot: slots.take(),
    };
    this.#record.network = { namespace, slot, complete: false };
    records.save(this.#record);
    await deletePodNetwork(namespace, slot);
    await createPodNetwork(node, namespace, slot);
    this.#record.network.complete = true;
    records.save(this.#record);
  }

  #buildRunner(container: Container): ContainerRunner {
    const period = Number(this.#pod.metadata.annotations?.[PROBE_PERIOD_ANNOTATION]);
    return new ContainerRunner({
      container,
      restartPolicy: this.#pod.spec.restartPolicy ?? 'Always',
      address: this.#addresses()[0] ?? '',
      probePeriodMs: period > 0 ? period : undefined,
      record: this.#record.containers[container.name] ?? { restartCount: 0 },
      launch: () => this.#context.launch(this.#pod, container, this.#record.network?.namespace),
      onChange: () => {
        this.#save();
        this.#report();
      },
    });
  }

  #addresses(): string[] {
    const { node } = this.#context;
    const { network } = this.#record;
    const { v4, v6 } = network === undefined ? node.internal : slotAddress(node, network.slot);
    return [v4, v6];
  }

  #save(): void {
    if (this.#gone) return;
    for (const [name, runner] of this.#runners) this.#record.containers[name] = runner.record();
    this.#context.records.save(this.#record);
  }

  /** SIGTERM after the preStop sleep, SIGKILL when the grace is over; a later, shorter grace counts too. */
  #terminate(): void {
    const grace = this.#pod.metadata.deletionGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
    const isFirst = this.#termination === undefined;
    this.#termination ??= { startedAt: performance.now(), kill: undefined };
    clearTimeout(this.#termination.kill);
    const leftMs = this.#termination.startedAt + grace * 1000 - performance.now();
    this.#termination.kill = setTimeout(
      () => {
        for (const runner of this.#runners.values()) runner.kill();
      },
      Math.max(leftMs, 0),
    );
    if (isFirst) void this.#windDown();
  }

  async #windDown(): Promise<void> {
    await this.#started;
    this.#log.info('PodTerminating');
    await Promise.all(
      this.#pod.spec.containers.map(async (container) => {
        const runner = this.#runners.get(container.name);
        const seconds = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
        if (seconds > 0) await Promise.race([sleep(seconds * 1000), runner?.ended()]);
        runner?.terminate();
        await runner?.ended();
      }),
    );
    clearTimeout(this.#termination?.kill);
    await this.#cleanUp();
    if (this.#runners.size > 0) await this.#untilDone(() => this.#writeStatus());
    await this.#untilDone(() => this.#delete());
  }

  async #ended(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((runner) => runner.ended()));
  }

  /** Once, whoever asks first: the address may be another pod's by the second time. */
  #cleanUp(): Promise<void> {
    this.#cleaning ??= this.#takeAway();
    return this.#cleaning;
  }

  async #takeAway(): Promise<void> {
    const { network, uid } = this.#record;
    if (network) {
      await deletePodNetwork(network.namespace, network.slot);
      this.#context.slots.giveBack(network.slot);
    }
    this.#gone = true;
    this.#context.records.remove(uid);
    this.#log.info('PodStopped');
  }

  #delete(): Promise<void> {
    const { name, namespace, uid } = this.#pod.metadata;
    return this.#context.client.delete(PODS, namespace, name, { gracePeriodSeconds: 0, uid });
  }

  /** Tries until it works or there is nothing to do it to any more. */
  async #untilDone(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (isClass(error, 'NotFound', 'Conflict')) return;
        this.#log.warn('WriteFailed', { error });
        await sleep(RETRY_MS);
      }
    }
  }

  /** Reports the newest state; changes that come while a write runs are gathered into the next. */
  #report(): void {
    this.#reportDue = true;
    if (this.#reporting) return;
    this.#reporting = true;
    void (async () => {
      while (this.#reportDue && !this.#gone) {
        this.#reportDue = false;
        await this.#untilDone(() => this.#writeStatus());
      }
      this.#reporting = false;
    })();
  }

  async #writeStatus(): Promise<void> {
    const { client, node } = this.#context;
    const containers = new Map([...this.#runners].map(([name, runner]) => [name, runner.observe()]));
    const addresses = containers.size === 0 ? [] : this.#addresses();
    const seen = { addresses, startTime: this.#record.startTime, containers };
    const status = buildPodStatus(this.#pod, node, seen, new Date().toISOString());
    if (sameStatus(this.#pod.status, status)) return;
    const { name, namespace, uid } = this.#pod.metadata;
    // The uid is a precondition: a pod of the same name that came after it is another one.
    const body = { metadata: { uid }, status };
    const answer = await client.patch(PODS, namespace, name, body, {
      contentType: 'merge',
      subresource: 'status',
    });
    this.#pod = { ...this.#pod, status: answer.status ?? status };
  }
}
