import type { Transport } from '../../support/station-protocol.ts';
import type { Dialing, Expectation, Probe } from './case.ts';
import { judge } from './judge.ts';
import type { Family } from './places.ts';
import type { Trial } from './trial.ts';

/** Generous: a machine may be busy, and refusals by ICMP are heard of only with the second SYN over IPv6. */
const ANSWER_MS = 5_000;
/** Longer than the time after which a caller sends again. */
const SILENCE_MS = 1_300;

/** What is wrong, or undefined. A proxy that differs is held to what it does. */
export async function runProbe(probe: Probe, trial: Trial, family: Family): Promise<string | undefined> {
  const difference = probe.differs?.[trial.lab.proxyName];
  try {
    if ('check' in probe) {
      const problem = await (difference?.check ?? probe.check)(trial, family);
      return problem === undefined ? undefined : `${probe.what}: ${problem}`;
    }
    const problem = await runDialing(probe, difference?.expect ?? probe.expect, trial, family);
    return problem === undefined ? undefined : `${nameOf(probe)}: ${problem}`;
  } catch (error) {
    return `${'check' in probe ? probe.what : nameOf(probe)}: ${error instanceof Error ? error.stack : error}`;
  }
}

async function runDialing(
  { from, to, transport = 'tcp', times }: Dialing,
  expectation: Expectation,
  trial: Trial,
  family: Family,
): Promise<string | undefined> {
  const { address, port } = trial.resolve(to, transport, family);
  const source = from.addresses[family];
  const station = trial.station(from);
  // A pod and a client call as who they are; a node leaves the choice to its kernel, as its processes do.
  const isNode = from.others !== undefined;
  const timeoutMs = expectation.result === 'dropped' ? SILENCE_MS : ANSWER_MS;
  const dial = { transport, address, port, timeoutMs, ...(isNode ? {} : { source }) };
  const dials = Array.from({ length: times ?? timesFor(expectation, transport) }, () => dial);
  const isWatched = expectation.result === 'dropped' || (expectation.result === 'refused' && expectation.by);
  if (!isWatched) {
    return judge(expectation, { outcomes: await station.dialAll(dials) }, source, family);
  }
  let outcomes: Awaited<ReturnType<typeof station.dialAll>> = [];
  const packets = await station.watch(address, port, async () => {
    outcomes = await station.dialAll(dials);
  });
  return judge(
    expectation,
    { outcomes, replies: packets.filter((packet) => isReply(packet, transport)) },
    source,
    family,
  );
}

/**
 * Of this transport, since other expectations may be about the same address. Where others' packets come through, and on
 * loopback, calls are seen coming, too.
 */
function isReply(packet: string, transport: Transport): boolean {
  if (!packet.startsWith('in ')) return false;
  return (
    packet.endsWith(` about ${transport}`) ||
    (/ tcp /.test(packet) && transport === 'tcp' && !/ S$/.test(packet))
  );
}

/** With n servers, k n dials miss one with a chance of about n e^-k. */
function timesFor(expectation: Expectation, transport: Dialing['transport']): number {
  if (expectation.result !== 'served') return 2;
  if (expectation.by.length === 1) return 4;
  return expectation.by.length * (transport === 'sctp' ? 8 : 16);
}

function nameOf({ from, to, transport = 'tcp' }: Dialing): string {
  const where = to.at === 'nodePort' ? `${to.at} of ${to.of.name}` : to.at;
  return `${from.name} -> ${where}${to.port === undefined ? '' : ` ${to.port}`} (${transport})`;
}
