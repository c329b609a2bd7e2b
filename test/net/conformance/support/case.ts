import type { ProxyName } from '../../support/proxy-process.ts';
import type { Transport } from '../../support/station-protocol.ts';
import type { ConformanceLab } from './lab.ts';
import type { Family, Place } from './places.ts';
import type { ServiceSketch } from './sketch.ts';
import type { Trial } from './trial.ts';

/** One behaviour, shown by real packets: what there is, and what must come of it. */
export interface Case {
  /** In one line, as the test's name. */
  name: string;
  stages: readonly Stage[];
  /** Runs while no other case does: it changes nodes, or ends proxies. */
  exclusive?: boolean;
  /** Undoes what `act` did to nodes and proxies; runs however the case ends. */
  afterwards?: (lab: ConformanceLab) => Promise<void>;
  /** @default both */
  families?: readonly Family[];
}

/** The objects of a case at one time, and what holds then. */
export interface Stage {
  /** What is different from the stage before, for the message of a failure. */
  when?: string;
  /** All Services of the case, from now on. @default those of the stage before */
  services?: readonly ServiceSketch[];
  /** Done after the objects are written, before anything is looked at. */
  act?: (trial: Trial) => Promise<void>;
  /** Whose rules must be of this time before anything is looked at; nobody's: nothing is written to see to it. @default all nodes' */
  awaits?: readonly Place[];
  expect: readonly Probe[];
}

export type Probe = (Dialing | Check) & {
  /** A proxy that does something else, with the reason: listed in docs/conformance.md. */
  differs?: Partial<Record<ProxyName, Difference>>;
};

/** Somebody dials something. */
export interface Dialing {
  from: Place;
  to: Target;
  /** @default tcp */
  transport?: Transport;
  /** How often. @default enough to meet every server that is expected */
  times?: number;
  expect: Expectation;
}

/** Whatever dialling can't show. */
export interface Check {
  /** What is checked, for the message. */
  what: string;
  /** What is wrong, or undefined. */
  check: CheckFunction;
}

export type CheckFunction = (trial: Trial, family: Family) => Promise<string | undefined>;

export interface Difference {
  reason: string;
  /** What this proxy does instead, of a Dialing. */
  expect?: Expectation;
  /** The same of a Check. */
  check?: CheckFunction;
}

/** An address and port of a Service of the case, the first unless named; resolved for each family. */
export type Target = { service?: string; port?: number } & (
  | { at: 'clusterIP' }
  | { at: 'vip' }
  | { at: 'externalIP' }
  | { at: 'nodePort'; of: Place }
  /** The node port on any address; `port` then is the Service's, too. */
  | { at: 'nodePortOn'; addresses: Readonly<Record<Family, string>> }
  | { at: 'address'; addresses: Readonly<Record<Family, string>>; port: number }
);

export type Expectation =
  | {
      result: 'served';
      /** Exactly these serve: each of them, and nobody else. */
      by: readonly Place[];
      /** As whom the servers see the caller: its own address, or an address of a node. */
      as?: 'itself' | Place;
      /** Each server's part of the dials, at least and at most. */
      share?: readonly [number, number];
      /** The servers' own port (TCP). */
      port?: number;
    }
  /** ECONNREFUSED. */
  | { result: 'refused'; by?: 'icmp' | 'reset' }
  /** Silence: nothing comes back, not even a packet. */
  | { result: 'dropped' }
  /** Anything else than served. */
  | { result: 'notServed' };

export const clusterIp = (port?: number): Target => ({ at: 'clusterIP', ...portOf(port) });
export const vip = (port?: number): Target => ({ at: 'vip', ...portOf(port) });
export const externalIp = (port?: number): Target => ({ at: 'externalIP', ...portOf(port) });
export const nodePort = (of: Place, port?: number): Target => ({ at: 'nodePort', of, ...portOf(port) });
/** The same target of another Service of the case. */
export const ofService = (service: string, target: Target): Target => ({ ...target, service });

export const served = (
  by: readonly Place[],
  more: { as?: 'itself' | Place; share?: readonly [number, number]; port?: number } = {},
): Expectation => ({ result: 'served', by, ...more });
export const refused = (by?: 'icmp' | 'reset'): Expectation => ({
  result: 'refused',
  ...(by === undefined ? {} : { by }),
});
export const dropped: Expectation = { result: 'dropped' };
export const notServed: Expectation = { result: 'notServed' };

/** ADR 7: said once, for every case that meets it. */
export const REFUSED_BY_RESET = {
  fairlead: {
    reason:
      'TCP is refused by a TCP reset in the place of ICMP, which the kernel rations and IPv6 sockets take for a passing error (ADR 7); callers see ECONNREFUSED either way',
    expect: refused('reset'),
  },
} as const;

function portOf(port: number | undefined): { port?: number } {
  return port === undefined ? {} : { port };
}
