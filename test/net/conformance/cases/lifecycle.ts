import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../support/run.ts';
import { type Case, type Check, clusterIp, nodePort, served } from '../support/case.ts';
import { flowCheck, openFlow, servedBy } from '../support/checks.ts';
import { describe } from '../support/judge.ts';
import { FAMILIES, N1, N2, P1A, P1B, P2A, X } from '../support/places.ts';
import type { Trial } from '../support/trial.ts';

const FOREIGN_TABLE = `
table inet conformance-foreign {
  comment "of another program"
  set addresses {
    type ipv4_addr . inet_service
    flags interval
    elements = { 10.96.0.1 . 443, 192.0.2.0/24 . 1-9 }
  }
  chain base {
    type nat hook prerouting priority -100; policy accept;
    jump other
  }
  chain other {
    ip daddr . tcp dport @addresses accept comment "served elsewhere"
    meta mark set meta mark | 0x4000
  }
}
`;
const nftOnN2 = (...args: string[]) => run('ip', 'netns', 'exec', N2.name, 'nft', ...args);
/** With handles: even a table that was made anew the same would show. */
const foreignTable = () => nftOnN2('-a', 'list', 'table', 'inet', 'conformance-foreign');

const tableIsAsItWas: Check = {
  what: 'the foreign table',
  check: async (trial) => {
    const now = await foreignTable();
    return now === trial.notes.get('foreign') ? undefined : `was ${trial.notes.get('foreign')}, is ${now}`;
  },
};

/** Connections that go on being made while the proxy of N1 is killed and started again: none fails. */
async function restartUnderLoad(trial: Trial): Promise<void> {
  const dials = FAMILIES.map((family) => ({
    transport: 'tcp' as const,
    ...trial.resolve(nodePort(N1), 'tcp', family),
  }));
  const restart = (async () => {
    await trial.lab.proxy(N1.name).kill();
    await trial.lab.proxy(N1.name).start();
  })();
  // One station dials one address at a time: X by IPv4, a pod by IPv6.
  const [inside, outside] = [trial.station(P1B), trial.station(X)];
  const [first, second] = dials;
  if (first === undefined || second === undefined) throw new Error('two families');
  const told = await Promise.all([
    outside.dialWhile({ ...first, timeoutMs: 5_000 }, 20, () => restart),
    inside.dialWhile({ ...second, timeoutMs: 5_000 }, 20, () => restart),
  ]);
  trial.notes.set('outcomes', told);
  for (const outcomes of told) {
    const unserved = outcomes.filter(({ result }) => result !== 'served');
    if (unserved.length > 0) throw new Error(`of ${outcomes.length} connections: ${describe(unserved)}`);
  }
}

export const LIFECYCLE: readonly Case[] = [
  {
    name: '24: tables of others stay as they are, to the byte, while Services come, change and go',
    exclusive: true,
    afterwards: async () => {
      await nftOnN2('delete', 'table', 'inet', 'conformance-foreign');
    },
    stages: [
      {
        services: [],
        act: async (trial) => {
          const file = join(trial.lab.plane.dir, 'foreign.nft');
          await writeFile(file, FOREIGN_TABLE);
          await nftOnN2('-f', file);
          trial.notes.set('foreign', await foreignTable());
        },
        expect: [tableIsAsItWas],
      },
      {
        when: 'there are Services',
        services: [
          { type: 'LoadBalancer', vip: 'VIP', externalIp: true, endpoints: [P1A, P2A] },
          { name: 'other' },
        ],
        expect: [{ from: N2, to: clusterIp(), expect: served([P1A, P2A]) }, tableIsAsItWas],
      },
      {
        when: 'the proxy was killed and started again',
        services: [],
        act: async ({ lab }) => {
          await lab.proxy(N2.name).kill();
          await lab.proxy(N2.name).start();
        },
        expect: [tableIsAsItWas],
      },
    ],
  },
  {
    name: '24: killed and started again, the proxy fails no new connection, and ends none',
    exclusive: true,
    stages: [
      {
        services: [
          { type: 'NodePort', endpoints: [P1A, P2A] },
          { name: 'flows', endpoints: [P2A] },
        ],
        expect: [{ from: X, to: nodePort(N1), expect: served([P1A, P2A]) }],
      },
      {
        when: 'connections are open',
        act: async (trial) => {
          const to = { service: 'flows', at: 'clusterIP' } as const;
          for (const family of FAMILIES)
            await openFlow(trial, family, 'tcp', { from: P1B, to, transport: 'tcp' });
        },
        expect: [flowCheck('the connection is there', P1B, 'tcp', servedBy(P2A))],
      },
      {
        when: 'the proxy was killed and started again',
        act: restartUnderLoad,
        expect: [flowCheck('the connection goes on', P1B, 'tcp', servedBy(P2A))],
      },
    ],
  },
];
