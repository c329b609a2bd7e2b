import type { Container, Probe } from './pod.ts';
import { countProbe, type ProbeCount } from './probe-thresholds.ts';
import { runProbe } from './run-probe.ts';

/** Pod annotation: milliseconds between readiness probes, for less than the second that Kubernetes knows as its shortest. */
export const PROBE_PERIOD_ANNOTATION = 'lab.fairlead.dev/probe-period-ms';

/** While a pod was never ready, so that starting doesn't wait for a whole period. */
const STARTING_PERIOD_MS = 100;

export interface ProberOptions {
  container: Container;
  probe: Probe;
  address: string;
  /** Overrides the probe's periodSeconds. */
  periodMs: number | undefined;
  onChange: (ready: boolean) => void;
}

/** Probes one container until stopped. */
export class Prober {
  readonly #options: ProberOptions;
  #count: ProbeCount = { ready: false, against: 0 };
  #wasReady = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProberOptions) {
    this.#options = options;
    const delayMs = (options.probe.initialDelaySeconds ?? 0) * 1000;
    this.#timer = setTimeout(() => void this.#probe(), delayMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #probe(): Promise<void> {
    const { container, probe, address, onChange } = this.#options;
    const startedAt = performance.now();
    const well = await runProbe(container, probe, address);
    if (this.#stopped) return;
    const before = this.#count.ready;
    this.#count = countProbe(this.#count, well, probe);
    this.#wasReady ||= this.#count.ready;
    if (this.#count.ready !== before) onChange(this.#count.ready);
    const restMs = this.#periodMs() - (performance.now() - startedAt);
    this.#timer = setTimeout(() => void this.#probe(), Math.max(restMs, 10));
  }

  #periodMs(): number {
    const periodMs = this.#options.periodMs ?? (this.#options.probe.periodSeconds ?? 10) * 1000;
    return this.#wasReady ? periodMs : Math.min(periodMs, STARTING_PERIOD_MS);
  }
}
