import { PORT_POOLS } from '../../../../crds/resources.ts';
import type { Case, CaseTable } from './case.ts';
import { selectorCases } from './selectors.ts';

const FORM = 'write a range of ports without blanks (31000-31999), or one port (31000)';
const BACKWARDS = 'a range goes from its lowest to its highest port: swap the two';
const BOUNDS = 'ports go from 1 to 65535';
const OVERLAP = 'ranges of a pool must not overlap: join them, or cut one short';
const EMPTY = 'a pool without ports is of no use: give nodePorts, forwardingPorts, or both';
const EITHER = 'a port is either a node port or a forwarding port';

function accepted(...nodePorts: string[]): Case {
  return { name: `nodePorts ${nodePorts.join(', ')}`, spec: { nodePorts } };
}

function refused(message: string, ...nodePorts: string[]): Case {
  return { name: `nodePorts ${nodePorts.join(', ')}`, spec: { nodePorts }, refused: message };
}

export const portPools: CaseTable = {
  type: PORT_POOLS,
  cases: [
    accepted('31000-31999'),
    accepted('31000'),
    accepted('1-65535'),
    accepted('31000-31099', '31100-31199', '31200'),
    accepted('31100-31199', '31000-31099'),
    refused(FORM, 'http'),
    refused(FORM, '31 - 32'),
    refused(FORM, '31000-'),
    refused(FORM, '-31000'),
    refused(FORM, '0-100'),
    refused(FORM, '031000'),
    refused(FORM, '1-2-3'),
    refused(BOUNDS, '65536'),
    refused(BOUNDS, '65000-70000'),
    refused(BACKWARDS, '31999-31000'),
    refused(BACKWARDS, '9-10', '10000-9999'),
    refused(OVERLAP, '31000-31100', '31100-31200'),
    refused(OVERLAP, '31000-31999', '31500'),
    refused(OVERLAP, '31000', '31000'),
    {
      name: 'both kinds apart from each other',
      spec: { nodePorts: ['31000-31999'], forwardingPorts: ['20000-29999', '40000'] },
    },
    { name: 'forwarding ports only', spec: { forwardingPorts: ['20000-29999'] } },
    {
      name: '32 ranges of each kind',
      spec: {
        nodePorts: Array.from({ length: 32 }, (_, n) => `${31000 + n * 10}-${31009 + n * 10}`),
        forwardingPorts: Array.from({ length: 32 }, (_, n) => `${20000 + n * 10}-${20009 + n * 10}`),
      },
    },
    {
      name: 'a forwarding range that touches a node port range',
      spec: { nodePorts: ['31000-31999'], forwardingPorts: ['30000-31000'] },
      refused: EITHER,
    },
    {
      name: 'a forwarding port inside a node port range',
      spec: { nodePorts: ['31000-31999'], forwardingPorts: ['31500'] },
      refused: EITHER,
    },
    {
      name: 'forwarding ranges that overlap',
      spec: { forwardingPorts: ['20000-20100', '20050-20200'] },
      refused: OVERLAP,
    },
    { name: 'no ports', spec: {}, refused: EMPTY },
    { name: 'empty lists of ports', spec: { nodePorts: [], forwardingPorts: [] }, refused: EMPTY },
    {
      name: '33 ranges',
      spec: { nodePorts: Array.from({ length: 33 }, (_, n) => `${31000 + n}`) },
      refused: 'must have at most 32 items',
    },
    ...selectorCases('a namespaceSelector', (selector) => ({
      nodePorts: ['31000-31999'],
      namespaceSelector: selector,
    })),
  ],
};
