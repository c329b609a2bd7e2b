import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Case,
  type Check,
  clusterIp,
  dropped,
  nodePort,
  served,
  type Target,
  vip,
} from '../support/case.ts';
import { dialFrom, onlyServer } from '../support/checks.ts';
import { type Family, N1, N2, N3, P1A, P1B, P2A, P3A, type Place, X, X2 } from '../support/places.ts';
import type { EndpointSketch, ServiceSketch } from '../support/sketch.ts';
import type { Trial } from '../support/trial.ts';

const ALL = [P1A, P1B, P2A, P3A];
/** So many choices between four endpoints are all the same with a chance of 4^-12. */
const PORTS = Array.from({ length: 12 }, (_, index) => ({ port: 80 + index }));
const SHORT_SECONDS = 3;
/** Long enough for a busy machine to stay below it between two looks. */
const LONGER_SECONDS = 8;

const sticky = (endpoints: readonly EndpointSketch[], timeoutSeconds = 600): ServiceSketch => ({
  type: 'NodePort',
  endpoints,
  spec: { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds } } },
});
const stickyPorts = (timeoutSeconds?: number): ServiceSketch => ({
  ...sticky(ALL, timeoutSeconds),
  ports: PORTS,
});

/** Fifteen connections end at one server; the first goes before the others, as it is the one that chooses. */
async function pinOf(trial: Trial, family: Family, from: Place, to: Target): Promise<string> {
  const first = await dialFrom(trial, family, from, to);
  return onlyServer([...first, ...(await dialFrom(trial, family, from, to, { times: 14 }))]);
}

/** Where each port of the Service sends a caller. */
const pinsOf = (trial: Trial, family: Family, from: Place): Promise<string[]> =>
  Promise.all(PORTS.map(({ port }) => pinOf(trial, family, from, nodePort(N1, port))));

const isPinned = (from: Place, to: Target): Check => ({
  what: `${from.name} stays with one endpoint`,
  check: async (trial, family) => {
    await pinOf(trial, family, from, to);
    return undefined;
  },
});

const remember = (from: Place): Check => ({
  what: `${from.name} stays with one endpoint of each port`,
  check: async (trial, family) => {
    trial.notes.set(`${family} ${from.name}`, (await pinsOf(trial, family, from)).join());
    return undefined;
  },
});

const staysWhereItWas = (from: Place): Check => ({
  what: `${from.name} stays where it was`,
  check: async (trial, family) => {
    const before = trial.notes.get(`${family} ${from.name}`);
    const now = (await pinsOf(trial, family, from)).join();
    return now === before ? undefined : `was ${before}, is ${now}`;
  },
});

/** With ranges that overlap and are told twice. */
const nearAndSticky = (endpoints: readonly EndpointSketch[]): ServiceSketch => ({
  type: 'LoadBalancer',
  vip: 'VIP',
  endpoints,
  spec: {
    sessionAffinity: 'ClientIP',
    externalTrafficPolicy: 'Local',
    loadBalancerSourceRanges: ['198.18.0.100/32', '198.18.0.100/32', '198.18.0.96/28', 'fd00:198::100/128'],
  },
});

export const AFFINITY: readonly Case[] = [
  {
    name: '16: with affinity under a Local policy, a client stays at an endpoint of the node, until that terminates',
    stages: [
      {
        services: [nearAndSticky([P1A, P2A])],
        expect: [
          { from: X, to: vip(), expect: served([P1A], { as: 'itself' }) },
          { from: X, to: nodePort(N1), expect: served([P1A], { as: 'itself' }) },
          { from: X, to: nodePort(N2), expect: served([P2A], { as: 'itself' }) },
          { from: X, to: nodePort(N3), expect: dropped },
        ],
      },
      {
        when: 'it terminates, and another of the node is ready',
        services: [nearAndSticky([{ pod: P1A, state: 'terminating' }, P1B, P2A])],
        expect: [{ from: X, to: vip(), expect: served([P1B], { as: 'itself' }) }],
      },
    ],
  },
  {
    name: '16: with affinity, fifteen connections of a client end at one endpoint, by ClusterIP and node port alike',
    stages: [
      {
        services: [sticky(ALL)],
        expect: [
          {
            what: 'X by ClusterIP and node port',
            check: async (trial, family) => {
              const pins = [clusterIp(), nodePort(N1)].map((to) => pinOf(trial, family, X, to));
              const [one, other] = [await pins[0], await pins[1]];
              return one === other ? undefined : `ends at ${one} and ${other}`;
            },
          },
          isPinned(P2A, clusterIp()),
          isPinned(N1, clusterIp()),
        ],
      },
    ],
  },
  {
    name: '16: with affinity, UDP callers stay with one endpoint, too',
    stages: [
      {
        services: [{ ...sticky(ALL), ports: [{ port: 80, transport: 'udp' }] }],
        expect: [
          {
            what: 'P2A by UDP',
            check: async (trial, family) => {
              const dial = (times: number) =>
                dialFrom(trial, family, P2A, clusterIp(), { transport: 'udp', times });
              onlyServer([...(await dial(1)), ...(await dial(14))]);
              return undefined;
            },
          },
        ],
      },
    ],
  },
  {
    name: '16: two addresses of clients choose for themselves',
    stages: [
      {
        services: [stickyPorts()],
        expect: [
          {
            what: 'X and X2, at twelve ports',
            check: async (trial, family) => {
              const [one, other] = [await pinsOf(trial, family, X), await pinsOf(trial, family, X2)];
              return one.join() === other.join() ? `both end at ${one}` : undefined;
            },
          },
          {
            what: 'each port chooses for itself',
            check: async (trial, family) =>
              new Set(await pinsOf(trial, family, X)).size > 1 ? undefined : 'all ended at one',
          },
        ],
      },
    ],
  },
  {
    name: '16: affinity ends when its time is over without a new connection',
    stages: [
      {
        services: [stickyPorts(SHORT_SECONDS)],
        expect: [
          {
            what: 'X at twelve ports, before and after its time',
            check: async (trial, family) => {
              const before = await pinsOf(trial, family, X);
              await sleep((SHORT_SECONDS + 1) * 1000);
              const after = await pinsOf(trial, family, X);
              return before.join() === after.join() ? `ended at ${before} again` : undefined;
            },
          },
        ],
      },
    ],
  },
  {
    name: '16: each new connection begins the time of affinity anew',
    stages: [
      {
        services: [stickyPorts(LONGER_SECONDS)],
        expect: [
          {
            what: 'X at twelve ports, for longer than that time',
            check: async (trial, family) => {
              const before = (await pinsOf(trial, family, X)).join();
              for (let second = 0; second <= LONGER_SECONDS; second += 2) {
                await sleep(2000);
                const now = (await pinsOf(trial, family, X)).join();
                if (now !== before) return `was ${before}, is ${now}`;
              }
              return undefined;
            },
          },
        ],
      },
    ],
  },
  {
    name: '16: a client whose endpoint goes is served by another at once, and stays with that',
    stages: [
      {
        services: [sticky([P1A])],
        expect: [{ from: X, to: nodePort(N1), expect: served([P1A]) }],
      },
      {
        when: 'there are other endpoints, too',
        services: [sticky(ALL)],
        expect: [{ from: X, to: nodePort(N1), times: 15, expect: served([P1A]) }],
      },
      {
        when: 'the endpoint of the client is gone',
        services: [sticky([P2A, P3A])],
        expect: [
          isPinned(X, nodePort(N1)),
          {
            what: 'X ends at an endpoint that is there',
            check: async (trial, family) => {
              const server = await pinOf(trial, family, X, nodePort(N1));
              return [P2A.name, P3A.name].includes(server) ? undefined : `it is ${server}`;
            },
          },
        ],
      },
    ],
  },
  {
    name: '16: affinity outlives a kill of the proxy',
    exclusive: true,
    stages: [
      { services: [stickyPorts()], expect: [remember(X)] },
      {
        when: 'the proxy was killed and started again',
        act: async ({ lab }) => {
          await lab.proxy(N1.name).kill();
          await lab.proxy(N1.name).start();
        },
        expect: [staysWhereItWas(X)],
      },
    ],
  },
  {
    name: '17: affinity switched on and off holds for the connections after that',
    stages: [
      {
        services: [{ type: 'NodePort', endpoints: ALL }],
        expect: [{ from: X, to: nodePort(N1), expect: served(ALL) }],
      },
      {
        when: 'affinity is on',
        services: [sticky(ALL)],
        expect: [isPinned(X, nodePort(N1)), isPinned(P1A, clusterIp())],
      },
      {
        when: 'affinity is off',
        services: [{ type: 'NodePort', endpoints: ALL, spec: { sessionAffinity: 'None' } }],
        expect: [
          { from: X, to: nodePort(N1), expect: served(ALL) },
          { from: P1A, to: clusterIp(), expect: served(ALL) },
        ],
      },
    ],
  },
];
