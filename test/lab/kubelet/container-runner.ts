import type { ProcessRecord } from '../process-identity.ts';
import type { ContainerObservation } from './build-pod-status.ts';
import type { Container, ContainerState, Pod } from './pod.ts';
import { PodProcess, type ProcessEnd } from './pod-process.ts';
import { Prober } from './prober.ts';

export interface ContainerRecord {
  process?: ProcessRecord;
  restartCount: number;
  startedAt?: string;
}

export interface ContainerRunnerOptions {
  container: Container;
  restartPolicy: NonNullable<Pod['spec']['restartPolicy']>;
  /** Where probes go. */
  address: string;
  probePeriodMs: number | undefined;
  record: ContainerRecord;
  launch: () => Promise<PodProcess>;
  /** Something to report or to keep on record. */
  onChange: () => void;
}

/** The first restart is soon, as with a real kubelet; then twice as long each time. */
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;
/** A container that ran so long starts with a short backoff again. */
const STABLE_MS = 60_000;
/** As container runtimes report a program that couldn't be executed. */
const CANNOT_START = 128;

/** One container: its process, started again as the restart policy says, and its readiness. */
export class ContainerRunner {
  readonly #options: ContainerRunnerOptions;
  #process: PodProcess | undefined;
  #prober: Prober | undefined;
  #ready = false;
  #restartCount: number;
  #state: ContainerState = { waiting: { reason: 'ContainerCreating' } };
  #lastState: ContainerState | undefined;
  #startedAt: string | undefined;
  #backoffMs = FIRST_BACKOFF_MS;
  #stopping = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: ContainerRunnerOptions) {
    this.#options = options;
    this.#restartCount = options.record.restartCount;
    this.#startedAt = options.record.startedAt;
  }

  observe(): ContainerObservation {
    return {
      ready: this.#ready,
      restartCount: this.#restartCount,
      state: this.#state,
      ...(this.#lastState && { lastState: this.#lastState }),
    };
  }

  record(): ContainerRecord {
    return {
      restartCount: this.#restartCount,
      ...(this.#process && { process: this.#process.record }),
      ...(this.#startedAt !== undefined && { startedAt: this.#startedAt }),
    };
  }

  /** Takes the recorded process over, or starts a new one. */
  async start(): Promise<void> {
    const { record } = this.#options;
    if (record.process) this.#follow(PodProcess.adopt(record.process), record.startedAt);
    else await this.#launch();
  }

  /** SIGTERM, and no start from now on. */
  terminate(): void {
    this.#halt();
    this.#process?.signal('SIGTERM');
  }

  kill(): void {
    this.#halt();
    this.#process?.signal('SIGKILL');
  }

  /** Resolves when there is no process, and none will be started any more. */
  async ended(): Promise<void> {
    await this.#process?.ended;
  }

  #halt(): void {
    this.#stopping = true;
    this.#prober?.stop();
    clearTimeout(this.#restart);
  }

  async #launch(): Promise<void> {
    if (this.#stopping) return;
    const process = await this.#options.launch();
    if (this.#stopping) process.signal('SIGKILL');
    this.#follow(process, new Date().toISOString());
  }

  #follow(process: PodProcess, startedAt: string | undefined): void {
    const { container, address, probePeriodMs: periodMs, onChange } = this.#options;
    const since = performance.now();
    this.#process = process;
    this.#startedAt = startedAt;
    this.#state = { running: { startedAt: startedAt ?? new Date().toISOString() } };
    if (container.readinessProbe) {
      const probed = (ready: boolean) => {
        this.#ready = ready;
        onChange();
      };
      this.#prober = new Prober({
        container,
        probe: container.readinessProbe,
        address,
        periodMs,
        onChange: probed,
      });
    } else {
      this.#ready = true;
    }
    void process.ended.then((end) => this.#finish(end, performance.now() - since));
    onChange();
  }

  #finish(end: ProcessEnd, livedMs: number): void {
    this.#prober?.stop();
    this.#process = undefined;
    this.#ready = false;
    const terminated: ContainerState = {
      terminated: {
        exitCode: end.exitCode,
        reason: end.exitCode === 0 ? 'Completed' : 'Error',
        ...(this.#startedAt !== undefined && { startedAt: this.#startedAt }),
        finishedAt: new Date().toISOString(),
      },
    };
    const { restartPolicy } = this.#options;
    const again = restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && end.exitCode !== 0);
    if (this.#stopping || !again) {
      this.#state = terminated;
    } else {
      this.#state = { waiting: { reason: 'CrashLoopBackOff' } };
      this.#lastState = terminated;
      this.#restartCount++;
      if (livedMs > STABLE_MS) this.#backoffMs = FIRST_BACKOFF_MS;
      this.#restart = setTimeout(() => {
        this.#launch().catch(() => this.#finish({ exitCode: CANNOT_START }, 0));
      }, this.#backoffMs);
      this.#backoffMs = Math.min(this.#backoffMs * 2, LONGEST_BACKOFF_MS);
    }
    this.#options.onChange();
  }
}
