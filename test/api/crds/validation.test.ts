import { expect } from 'chai';
import { buildObjectSchema } from '../../../crds/build-crd.ts';
import { KINDS } from '../../../crds/kinds.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { ClassedError } from '../../../kube/errors.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { apiVersionOf, pathOf, type ResourceType } from '../../../kube/resources.ts';
import { freshNamespace, sharedCluster } from '../support/cluster.ts';
import { addressPools } from './cases/address-pools.ts';
import type { Case } from './cases/case.ts';
import { loadBalancerProviders } from './cases/load-balancer-providers.ts';
import { loadBalancers } from './cases/load-balancers.ts';
import { nodeForwarders } from './cases/node-forwarders.ts';
import { portPools } from './cases/port-pools.ts';

const TABLES = [loadBalancerProviders, addressPools, portPools, loadBalancers, nodeForwarders];

/** What the API server says against an object; undefined when it takes it. */
async function refusal(client: KubeClient, type: ResourceType, namespace: string, row: Case) {
  const body = {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    metadata: row.metadata ?? { generateName: 'case-' },
    spec: row.spec,
  };
  const path = pathOf(type, namespace);
  if (row.update === undefined)
    return rejection(client.request('POST', path, { body, query: { dryRun: 'All' } }));
  const made = await client.request<KubeObject>('POST', path, { body });
  const { name, resourceVersion } = made.metadata;
  try {
    const update = { ...body, metadata: { name, resourceVersion }, spec: row.update };
    return await rejection(client.request('PUT', pathOf(type, namespace, name), { body: update }));
  } finally {
    await client.delete(type, namespace, name);
  }
}

async function rejection(answer: Promise<unknown>): Promise<string | undefined> {
  try {
    await answer;
    return undefined;
  } catch (error) {
    if (error instanceof ClassedError && error.code === 422) return error.message;
    throw error;
  }
}

/** Every message of a rule, wherever in a schema it stands. */
function ruleMessages(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key !== 'x-kubernetes-validations') return ruleMessages(value);
    return (Array.isArray(value) ? value : []).map((rule: { message: string }) => rule.message);
  });
}

describe('What the API server checks of', () => {
  for (const { type, cases } of TABLES) {
    describe(type.kind, () => {
      let client: KubeClient;
      let namespace: string;

      before(async function () {
        this.timeout(600_000);
        const cluster = await sharedCluster();
        client = cluster.adminClient();
        namespace = await freshNamespace(cluster);
      });

      for (const row of cases) {
        it(`${row.refused === undefined ? 'accepts' : 'refuses'} ${row.name}`, async () => {
          const found = await refusal(client, type, namespace, row);

          if (row.refused === undefined) expect(found).to.equal(undefined);
          else expect(found).to.contain(row.refused);
        });
      }
    });
  }

  it('has a case that is refused for each rule of each kind', () => {
    const missing = KINDS.flatMap((kind) => {
      const table = TABLES.find(({ type }) => type.kind === kind.type.kind);
      const refused = (table?.cases ?? []).flatMap((row) => row.refused ?? []);
      const messages = ruleMessages(buildObjectSchema(kind));
      return messages
        .filter((text) => !refused.some((part) => text.startsWith(part)))
        .map((text) => `${kind.type.kind}: ${text}`);
    });

    expect(missing).to.deep.equal([]);
  });
});
