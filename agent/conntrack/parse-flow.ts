/** One entry of the kernel's connection tracking, as far as it matters here. Addresses are in their shortest form. */
export interface Flow {
  protocol: TrackedProtocol;
  /** Who dials. */
  source: string;
  sourcePort: number;
  /** What it dialled. */
  destination: string;
  port: number;
  /** Who answers: the endpoint, or the destination itself where nothing was translated. */
  replySource: string;
  replyPort: number;
  /** The kernel's own name of the entry: another one between the same ends has another. */
  id: number;
}

export type TrackedProtocol = 'tcp' | 'udp';

const ENDS = 'src=(\\S+) dst=(\\S+) sport=(\\d+) dport=(\\d+) ';
const LINE = new RegExp(`^(tcp|udp) .*?${ENDS}.*?${ENDS}.*?id=(\\d+)`);
/** Entries of a zone were put there by rules of others: what we translate is in none. */
const IN_ZONE = /\bzone(-orig|-reply)?=/;

/** Reads a line that `conntrack -L -o id` prints; null for other protocols, what is in a zone, or what is no entry. */
export function parseFlow(line: string): Flow | null {
  const [, protocol, source, destination, sourcePort, port, replySource, , replyPort, , id] =
    LINE.exec(line) ?? [];
  if (source === undefined || destination === undefined || replySource === undefined) return null;
  if (IN_ZONE.test(line)) return null;
  return {
    protocol: protocol === 'tcp' ? 'tcp' : 'udp',
    source,
    sourcePort: Number(sourcePort),
    destination,
    port: Number(port),
    replySource,
    replyPort: Number(replyPort),
    id: Number(id),
  };
}
