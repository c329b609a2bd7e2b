import { NODE_FORWARDERS } from '../../../../crds/resources.ts';
import type { CaseTable } from './case.ts';

const NAME = 'a NodeForwarder has the name of its node: make metadata.name and spec.nodeName the same';

export const nodeForwarders: CaseTable = {
  type: NODE_FORWARDERS,
  cases: [
    { name: "the node's name", metadata: { name: 'node-1' }, spec: { nodeName: 'node-1' } },
    { name: 'a name with dots', metadata: { name: 'n1.example.com' }, spec: { nodeName: 'n1.example.com' } },
    { name: 'another name', metadata: { name: 'node-1' }, spec: { nodeName: 'node-2' }, refused: NAME },
    { name: 'no node', metadata: { name: 'node-1' }, spec: {}, refused: 'spec.nodeName: Required value' },
    {
      name: 'another node later',
      metadata: { name: 'node-1' },
      spec: { nodeName: 'node-1' },
      update: { nodeName: 'node-2' },
      refused: "nodeName can't be changed: each node has a NodeForwarder of its own",
    },
  ],
};
