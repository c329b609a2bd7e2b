import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS } from '../../../crds/resources.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { buildModel } from '../../../providers/aws/build/build-model.ts';
import { MANAGED_ATTRIBUTES } from '../../../providers/aws/managed-attributes.ts';
import type { AwsModel } from '../../../providers/aws/model.ts';
import { requestCertificate } from '../../peers/aws/seed-network.ts';
import { Fixture, waitFor } from '../operator/support/objects.ts';
import { startTestOperator, type TestOperator } from '../operator/support/test-operator.ts';
import { sharedCluster } from '../support/cluster.ts';
import { AwsCluster } from './support/aws-cluster.ts';
import { find, handEdits, OWNERSHIP } from './support/hand-edits.ts';
import { withQuickLooks } from './support/quick-looks.ts';
import { Snapshot } from './support/snapshot.ts';

const ANNOTATION = 'service.beta.kubernetes.io/aws-load-balancer-';

/** Fields of the model that nobody can edit at AWS, or that nobody would be wrong to; each with the reason. */
const NOT_EDITED: Readonly<Record<string, string>> = {
  stack: 'whose it is, in tags',
  member: 'whose it is, in tags',
  leads: 'nothing at AWS',
  accepted: 'nothing at AWS',
  foreignNodes: 'nothing at AWS',
  refusals: 'nothing at AWS',
  held: 'nothing at AWS',
  'loadBalancer.name': "AWS doesn't let it be changed",
  'loadBalancer.isNamed': 'nothing at AWS',
  'loadBalancer.variant': 'in a tag',
  'loadBalancer.scheme': "AWS doesn't let it be changed",
  'securityGroup.name': "AWS doesn't let it be changed",
  'securityGroup.description': "AWS doesn't let it be changed",
  'securityGroup.ingress[].description': 'says nothing to AWS, and is left as it is',
  'listeners[].key': 'in a tag',
  'targetGroups[].key': 'in a tag',
  'targetGroups[].name': "AWS doesn't let it be changed",
  'targetGroups[].protocol': "AWS doesn't let it be changed",
  'targetGroups[].port': "AWS doesn't let it be changed",
  'targetGroups[].targetType': "AWS doesn't let it be changed",
  'targetGroups[].ipAddressType': "AWS doesn't let it be changed",
  'targetGroups[].attributes.stickiness.type': 'network load balancers have one only',
  'targetGroups[].targets[].zone': 'goes with the address',
  'targetGroups[].targets[].pods': 'nothing at AWS',
  'targetGroups[].targets[].gated': 'nothing at AWS',
};

/** Each field of a model, `targetGroups[].healthCheck.path`, with what is managed though nobody names it. */
function fieldsOf(model: AwsModel): string[] {
  const fields = new Set<string>();
  const visit = (value: unknown, path: string) => {
    if (path === 'loadBalancer.subnets') fields.add(path);
    else if (Array.isArray(value) && value.some((each) => typeof each === 'object'))
      for (const each of value) visit(each, `${path}[]`);
    else if (Array.isArray(value) && path === 'listeners[].certificates') fields.add(`${path}[]`);
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [key, each] of Object.entries(value)) visit(each, path === '' ? key : `${path}.${key}`);
    else fields.add(path);
  };
  visit(model, '');
  for (const key of MANAGED_ATTRIBUTES.loadBalancer) fields.add(`loadBalancer.attributes.${key}`);
  for (const key of MANAGED_ATTRIBUTES.targetGroup) fields.add(`targetGroups[].attributes.${key}`);
  for (const key of MANAGED_ATTRIBUTES.listener) fields.add(`listeners[].attributes.${key}`);
  return [...fields];
}

describe('operator and AWS: every field that somebody edits', function () {
  this.timeout(240_000);
  let operator: TestOperator;
  let fixture: Fixture;
  let aws: AwsCluster;
  let snapshot: Snapshot;
  let model: AwsModel;
  let certificate: string;

  before(async () => {
    fixture = await Fixture.create(await sharedCluster());
    aws = await AwsCluster.start(fixture, { ipv6: true, times: { initialMs: 100 } });
    snapshot = new Snapshot(aws.peer);
    await aws.makeProvider(
      {
        drift: { policy: 'Report', intervalSeconds: 30 },
        aws: { callRatePercent: 10_000, vpcID: aws.network.vpcId },
      },
      fixture.namespace,
    );
    operator = await startTestOperator(await sharedCluster(), {
      agentsNamespace: fixture.namespace,
      providers: withQuickLooks,
      driftIntervalMs: 300,
    });
    const [one, two] = [
      await requestCertificate(aws.peer, 'a.example'),
      await requestCertificate(aws.peer, 'b.example'),
    ];
    certificate = await requestCertificate(aws.peer, 'c.example');
    await fixture.service('web', {
      annotations: {
        [`${ANNOTATION}ssl-cert`]: `${one}, ${two}`,
        [`${ANNOTATION}ssl-ports`]: 'https',
        [`${ANNOTATION}ip-address-type`]: 'ipv4',
        [`${ANNOTATION}additional-resource-tags`]: 'team=edge',
        [`${ANNOTATION}access-log-enabled`]: 'true',
        [`${ANNOTATION}access-log-s3-bucket-name`]: 'logs',
      },
      spec: {
        ports: [
          { name: 'http', port: 80 },
          { name: 'https', port: 443 },
        ],
      },
    });
    const carriedOut = await fixture.untilLoadBalancer(
      'web',
      ({ status }) =>
        status?.applied !== undefined &&
        findCondition(status.conditions, 'TargetsHealthy')?.status === 'True',
      'to be carried out',
    );
    model = await modelOf(carriedOut.spec);
    operator.controller.caches.loadBalancers.store.onChange(({ object }) => {
      const { message = '', reason = '' } = findCondition(object.status?.conditions, 'Drifted') ?? {};
      seen.push(`${reason} ${message}`);
    });
  });
  after(async () => {
    try {
      await fixture.clean();
    } finally {
      await operator.stop();
      await aws.stop();
    }
  });

  /** As the operator builds it. */
  async function modelOf(spec: Awaited<ReturnType<Fixture['getLoadBalancer']>>['spec']): Promise<AwsModel> {
    const name = `p-${fixture.id}`;
    const provider = await fixture.client.get(LOAD_BALANCER_PROVIDERS, undefined, name);
    const uid = (await fixture.getService('web')).metadata.uid ?? '';
    return buildModel({
      id: { clusterId: 'test', namespace: fixture.namespace, name: `web.${name}`, serviceUid: uid },
      provider: { name, spec: provider.spec },
      spec,
      nodes: aws.network.instances.map(({ id, providerID }) => ({
        name: id,
        providerID,
        addresses: [],
        draining: false,
      })),
      pods: [],
      sharedWith: [],
    });
  }

  const setPolicy = async (policy: 'Repair' | 'Report') => {
    seen.length = 0;
    const name = `p-${fixture.id}`;
    await fixture.patch(LOAD_BALANCER_PROVIDERS, name, { spec: { drift: { policy } } });
    await waitFor(
      async () => operator.controller.caches.providers.store.get(name)?.spec.drift?.policy,
      (known) => known === policy,
      `the operator to know of ${policy}`,
    );
  };
  /** All that was told since the policy was set: what is put back is told until the next turn only. */
  const seen: string[] = [];
  const until = async (reason: string, told: readonly string[]) => {
    await waitFor(
      async () => seen.filter((each) => each.startsWith(`${reason} `)).join(' '),
      (text) => text !== '' && told.every((each) => text.includes(each)),
      `${reason} with ${told.join('; ')}`,
    );
  };

  it('has a case here', async () => {
    const cases = handEdits(await find(aws.peer, aws.network, model, certificate));
    const covered = new Set(cases.flat().flatMap(({ of }) => of));
    const missing = fieldsOf(model).filter(
      (field) =>
        !covered.has(field) &&
        NOT_EDITED[field] === undefined &&
        !OWNERSHIP.some((tag) => field.endsWith(`.tags.${tag}`)),
    );
    expect(missing).to.deep.equal([]);
    // And none is of a field that there isn't any more.
    const known = new Set(fieldsOf(model));
    expect([...covered].filter((field) => !known.has(field))).to.deep.equal([]);
  });

  it('is told with the field, what was expected and what is there, and left with Report, put back with Repair', async () => {
    const count = handEdits(await find(aws.peer, aws.network, model, certificate)).length;
    for (let at = 0; at < count; at++) {
      const edits = handEdits(await find(aws.peer, aws.network, model, certificate))[at] ?? [];
      const told = edits.flatMap((each) => each.told);
      const before = await snapshot.take();
      seen.length = 0;
      for (const { make } of edits) await make();
      const edited = await snapshot.take();

      await until('ChangedOutside', told);
      expect(await snapshot.take(), `left: ${told.join('; ')}`).to.deep.equal(edited);

      await setPolicy('Repair');
      await until('Repaired', told);
      await waitFor(
        () => snapshot.take(),
        (now) => JSON.stringify(now) === JSON.stringify(before),
        `put back: ${told.join('; ')}`,
      );
      await setPolicy('Report');
    }
  });

  it('makes it again when it is gone wholly', async () => {
    await setPolicy('Repair');
    const before = await snapshot.take();
    const { loadBalancer } = await find(aws.peer, aws.network, model, certificate);
    await aws.peer.elb('DeleteLoadBalancer', { LoadBalancerArn: loadBalancer });

    await waitFor(
      () => snapshot.take(),
      (now) => JSON.stringify(now) === JSON.stringify(before),
      'all to be as it was',
    );
    await fixture.client.delete(SERVICES, fixture.namespace, 'web');
    await fixture.untilGone(SERVICES, 'web');
  });
});
