/** One entry of the kernel's connection tracking, as far as it matters here. Addresses are in their shortest form. */
export interface Flow {
  protocol: string;
  /** What the client dialled. */
  destination: string;
  port: number;
  /** Who answers: the endpoint, or the destination itself where nothing was translated. */
  replySource: string;
  replyPort: number;
}

const LINE = /^(\w+) .*?src=\S+ dst=(\S+) sport=\d+ dport=(\d+) .*?src=(\S+) dst=\S+ sport=(\d+) dport=\d+/;

/** Reads a line that `conntrack -L` prints; null for what has no ports, or is none. */
export function parseFlow(line: string): Flow | null {
  const [, protocol, destination, port, replySource, replyPort] = LINE.exec(line) ?? [];
  if (protocol === undefined || destination === undefined || replySource === undefined) return null;
  return { protocol, destination, port: Number(port), replySource, replyPort: Number(replyPort) };
}
