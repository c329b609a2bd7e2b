import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('watch-owners.pl', import.meta.url));
/** clock_gettime */
const SYSCALL: Partial<Record<string, string>> = { x64: '228', arm64: '113' };

export interface Sighting {
  /** Milliseconds of the machine's monotonic clock. */
  at: number;
  kind: string;
  address: string;
  mac: string;
}

/** A raw listener and asker in a namespace: who answers for which address, and when. */
export class OwnerWatch {
  readonly sightings: Sighting[] = [];
  readonly #child: ChildProcess;

  constructor(options: {
    namespace: string;
    device: string;
    index: number;
    mac: string;
    ipv4: string;
    ipv6: string;
    intervalMs: number;
    addresses: readonly string[];
  }) {
    const { namespace, device, index, mac, ipv4, ipv6, intervalMs, addresses } = options;
    const args = [SCRIPT, device, String(index), mac, ipv4, ipv6, String(intervalMs), ...addresses];
    this.#child = spawn('ip', ['netns', 'exec', namespace, 'perl', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, CLOCK_GETTIME: SYSCALL[process.arch] ?? '228' },
    });
    let rest = '';
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [at, kind = '', address = '', sender = ''] = line.split(' ');
        this.sightings.push({ at: Number(at), kind, address, mac: sender });
      }
    });
  }

  answers(address: string, since = 0): Sighting[] {
    return this.sightings.filter((s) => s.kind === 'answer' && s.address === address && s.at >= since);
  }

  announcements(address: string, since = 0): Sighting[] {
    return this.sightings.filter(
      (s) => s.kind.startsWith('announce') && s.address === address && s.at >= since,
    );
  }

  /** Distinct answerers of the address in a span. */
  owners(address: string, since: number, until = Number.POSITIVE_INFINITY): string[] {
    return [
      ...new Set(
        this.answers(address, since)
          .filter((s) => s.at <= until)
          .map((s) => s.mac),
      ),
    ];
  }

  /** How long, in ms, two answered for one address: from the first answer of the later to the last of the earlier. Negative: a gap. */
  longestOverlap(address: string, since = 0): number {
    let longest = Number.NEGATIVE_INFINITY;
    const seen = this.answers(address, since);
    const macs = [...new Set(seen.map((s) => s.mac))];
    // An owner that comes back later is another span: spans end where the same one is silent for a second.
    const spans = macs.flatMap((mac) =>
      spansOf(seen.filter((s) => s.mac === mac)).map((span) => ({ mac, ...span })),
    );
    for (const one of spans) {
      for (const other of spans) {
        if (one.mac >= other.mac) continue;
        longest = Math.max(longest, Math.min(one.end, other.end) - Math.max(one.start, other.start));
      }
    }
    return longest;
  }

  /** The longest time without an answer, in ms. */
  longestSilence(address: string, since: number, until: number): number {
    const times = [
      since,
      ...this.answers(address, since)
        .map((s) => s.at)
        .filter((at) => at <= until),
      until,
    ];
    return Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? at)));
  }

  /** Resolves with the first answer since then of one other than `not`. */
  async untilAnswer(
    address: string,
    since: number,
    timeoutMs: number,
    not: readonly string[] = [],
  ): Promise<Sighting> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = this.answers(address, since).find((s) => !not.includes(s.mac));
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`nobody answered for ${address} in ${timeoutMs} ms`);
      await sleep(10);
    }
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

function spansOf(sightings: readonly Sighting[]): { start: number; end: number }[] {
  const spans: { start: number; end: number }[] = [];
  for (const { at } of sightings) {
    const last = spans.at(-1);
    if (last !== undefined && at - last.end < 1000) last.end = at;
    else spans.push({ start: at, end: at });
  }
  return spans;
}
