export type Transport = 'tcp' | 'udp' | 'sctp';

export interface Dial {
  transport: Transport;
  address: string;
  port: number;
  /** @default 2000 */
  timeoutMs?: number;
  /** One of the namespace's own addresses, for TCP and UDP. @default what the kernel chooses */
  source?: string;
}

/** A caller that keeps its socket, and so its source port, over many exchanges. */
export interface Flow extends Dial {
  transport: 'tcp' | 'udp';
  /** @default any */
  sourcePort?: number;
}

/** How a dial ended. `refused`: told so by the network, ECONNREFUSED; `timeout`: nothing came back. */
export type Outcome =
  | Served
  | { result: 'refused' | 'timeout'; tookMs: number }
  | { result: 'failed'; code: string; tookMs: number };

export interface Served {
  result: 'served';
  /** The station that answered. */
  by: string;
  /** The address that it saw. */
  from: string;
  /** The port that it was reached on; of SCTP, 0. */
  at: number;
  /** The address that it was reached on (TCP), or nothing. */
  on: string;
  tookMs: number;
}

export type Request =
  | { do: 'listen'; transport: Transport; port: number }
  | { do: 'dial'; dials: Dial[] }
  /** One dial after the other, at a steady pace, until `halt`. */
  | { do: 'keepDialing'; dial: Dial; everyMs: number }
  | { do: 'halt' }
  /** Sends so many bytes over TCP, and waits for their echo: answers how many came back. */
  | { do: 'exchange'; dial: Dial; bytes: number }
  | { do: 'openFlow'; id: string; flow: Flow }
  /** Says something on the flow, and tells who answers in time. */
  | { do: 'useFlow'; id: string; timeoutMs: number }
  | { do: 'closeFlow'; id: string }
  /** Notes each packet from, to, or (in an ICMP error) about an address and port, until `unwatch`. */
  | { do: 'watch'; id: string; address: string; port: number }
  | { do: 'unwatch'; id: string }
  /** A connection that stays open. */
  | { do: 'hold'; dial: Dial }
  /** Sends on the held connection, and waits for the echo. */
  | { do: 'talk'; text: string };

export type Answer =
  | { outcomes: Outcome[] }
  | { packets: string[] }
  | { text: string }
  | Record<string, never>;
