import { expect } from 'chai';
import { chooseEndpoints } from '../../../../agent/endpoints/choose-endpoints.ts';
import { collectEndpoints, portKey } from '../../../../agent/endpoints/collect-endpoints.ts';
import type { Endpoint } from '../../../../kube/objects.ts';
import { endpoint, NODE, slice } from '../support/objects.ts';

interface Hinted {
  zones?: string[];
  nodes?: string[];
  state?: 'ready' | 'terminating' | 'starting';
  node?: string;
}

/** The last numbers of the endpoints that serve a node in zone `a`; each is numbered in the order given. */
function serving(endpoints: Hinted[], zone: string | null = 'a') {
  const objects = endpoints.map(({ zones, nodes, state = 'ready', node = 'elsewhere' }, index): Endpoint => {
    const forZones = zones?.map((name) => ({ name }));
    const forNodes = nodes?.map((name) => ({ name }));
    return {
      ...endpoint(`10.0.0.${index + 1}`, state, node),
      hints: { ...(forZones && { forZones }), ...(forNodes && { forNodes }) },
    };
  });
  const ports = collectEndpoints([slice('s', objects)], NODE).get(portKey('ip', 'http', 'TCP')) ?? [];
  const { cluster, local } = chooseEndpoints(ports, {
    nodeName: NODE,
    ...(zone !== null && { zone }),
  });
  const numbers = (set: typeof cluster) => set.map(({ address }) => Number(address.split('.').at(-1))).sort();
  return { cluster: numbers(cluster), local: numbers(local) };
}

describe('agent: hints', () => {
  const cases: [string, Hinted[], number[]][] = [
    ['keeps to its zone when all are hinted and one is for it', [{ zones: ['a'] }, { zones: ['b'] }], [1]],
    ['takes an endpoint that is for several zones', [{ zones: ['b', 'a'] }, { zones: ['b'] }], [1]],
    ['takes all when one has no hint', [{ zones: ['a'] }, { zones: ['b'] }, {}], [1, 2, 3]],
    ['takes all when an empty list is a hint', [{ zones: ['a'] }, { zones: [] }], [1, 2]],
    ['takes all when none is for its zone', [{ zones: ['b'] }, { zones: ['c'] }], [1, 2]],
    [
      'keeps to its node when all are hinted and one is for it, whatever the zones say',
      [
        { nodes: [NODE], zones: ['b'] },
        { nodes: ['other'], zones: ['a'] },
      ],
      [1],
    ],
    [
      'goes by zones when none is for its node',
      [
        { nodes: ['x'], zones: ['b'] },
        { nodes: ['y'], zones: ['a'] },
      ],
      [2],
    ],
    ['goes by zones when one has no node', [{ nodes: [NODE], zones: ['b'] }, { zones: ['a'] }], [2]],
    [
      'does not count endpoints that are not ready',
      [{ zones: ['a'] }, { zones: ['b'] }, { state: 'starting' }, { state: 'terminating' }],
      [1],
    ],
    [
      'takes terminating endpoints of all zones when none is ready',
      [
        { zones: ['a'], state: 'terminating' },
        { zones: ['b'], state: 'terminating' },
      ],
      [1, 2],
    ],
  ];
  for (const [name, endpoints, expected] of cases) {
    it(name, () => {
      expect(serving(endpoints).cluster).to.deep.equal(expected);
    });
  }

  it('takes all on a node without a zone', () => {
    expect(serving([{ zones: ['a'] }, { zones: ['b'] }], null).cluster).to.deep.equal([1, 2]);
  });

  it('are for traffic that may leave the node only', () => {
    expect(serving([{ zones: ['b'], node: NODE }, { zones: ['a'] }])).to.deep.equal({
      cluster: [2],
      local: [1],
    });
  });
});
