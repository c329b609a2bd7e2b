import { expect } from 'chai';
import { applyChange } from '../../../../providers/aws/apply/apply.ts';
import { descriptionOf } from '../../../../providers/aws/apply/read-node-rules.ts';
import { verifyNodeRules } from '../../../../providers/aws/apply/verify-node-rules.ts';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { diffSubject } from '../../../../providers/aws/diff/diff-subject.ts';
import { observeSubject } from '../../../../providers/aws/observe/observe.ts';
import type { DesiredLoadBalancer } from '../../../../providers/provider.ts';
import { CLUSTER_ID, desiredWith, providerWith } from './support/desired.ts';
import { inventoryWith } from './support/fake-account.ts';
import { LiveAccount, NODES } from './support/live-account.ts';

const signal = new AbortController().signal;
const config = providerWith().spec.aws ?? { region: 'eu-central-1' };

describe('providers/aws: rules of nodes that somebody takes away and puts back', () => {
  const nodes = { GroupId: NODES, GroupName: 'nodes', VpcId: 'vpc-1', tags: {}, IpPermissions: [] };
  let live: LiveAccount;
  let inventory: ReturnType<typeof inventoryWith>;
  beforeEach(() => {
    live = new LiveAccount({
      loadBalancers: [],
      targetGroups: [],
      securityGroups: [structuredClone(nodes)],
    });
    inventory = inventoryWith(live.handlers);
  });

  const service = (name: string, nodePort: number) =>
    desiredWith({ service: name, spec: { frontends: [{ protocol: 'TCP', port: 80, nodePort }] } });
  const planOf = async (desired: DesiredLoadBalancer | undefined, subject = desired) => {
    if (subject === undefined) throw new Error('somebody is asked about');
    const { id, provider } = subject;
    const observed = await observeSubject(inventory, desired ?? { id, provider }, undefined, signal);
    return diffSubject(desired === undefined ? undefined : buildModel(desired), observed);
  };
  const turn = async (desired: DesiredLoadBalancer) => {
    for (const change of await planOf(desired))
      await applyChange(change, { inventory, subject: desired, config, signal });
  };
  const fieldsOf = async (desired: DesiredLoadBalancer) =>
    (await planOf(desired)).flatMap(({ fields = [] }) =>
      fields.map(({ actual, expected, field }) => `${field}: ${expected}, not ${actual}`),
    );
  const look = () => verifyNodeRules(inventory, 'nlb', config, { turn: '', inBackground: false, signal });
  const group = () => {
    const found = live.account.securityGroups.find(({ GroupId }) => GroupId === NODES);
    if (found === undefined) throw new Error('nodes have one');
    return found;
  };
  const ports = () => (group().IpPermissions ?? []).map(({ FromPort }) => FromPort).sort();
  const sharedId = () => inventory.sharedGroups[0]?.id;
  const takeAway = (port: number) => {
    group().IpPermissions = (group().IpPermissions ?? []).filter(({ FromPort }) => FromPort !== port);
  };
  const putBack = (port: number, Description: string) => {
    const rule = {
      IpProtocol: 'tcp',
      FromPort: port,
      ToPort: port,
      UserIdGroupPairs: [{ GroupId: sharedId(), Description }],
    };
    group().IpPermissions = [...(group().IpPermissions ?? []), rule];
  };

  for (const description of ['by hand', descriptionOf(CLUSTER_ID)]) {
    it(`are no drift any more at the next look, with the description "${description}"`, async () => {
      const web = service('web', 30080);
      await turn(web);
      await look();
      takeAway(30080);
      takeAway(10256);
      await look();
      expect(await fieldsOf(web)).to.deep.equal(['ports: tcp 10256, tcp 30080, not (none)']);
      putBack(30080, description);
      await look();
      expect(await fieldsOf(web)).to.deep.equal(['ports: tcp 10256, tcp 30080, not tcp 30080']);
      putBack(10256, description);
      await look();
      expect(await fieldsOf(web)).to.deep.equal([]);
    });
  }

  it('are left as they are found by the turns of others, and put back by their own', async () => {
    const [web, other] = [service('web', 30080), service('other', 30090)];
    await turn(web);
    await look();
    takeAway(30080);
    await look();
    await turn(other);
    expect(ports()).to.deep.equal([10256, 30090]);
    putBack(30080, descriptionOf(CLUSTER_ID));
    await turn(service('other', 30091));
    expect(ports()).to.deep.equal([10256, 30080, 30091]);
    takeAway(30080);
    await look();
    await turn(web);
    expect(ports()).to.deep.equal([10256, 30080, 30091]);
    expect(await fieldsOf(web)).to.deep.equal([]);
  });

  it('go with their load balancer, also those that only some groups have still', async () => {
    const web = service('web', 30080);
    await turn(web);
    await turn(service('other', 30090));
    takeAway(10256);
    takeAway(30080);
    await look();
    putBack(30080, descriptionOf(CLUSTER_ID));
    for (const change of await planOf(undefined, web))
      await applyChange(change, {
        inventory,
        subject: { id: web.id, provider: web.provider },
        config,
        signal,
      });
    expect(ports()).to.deep.equal([30090]);
    expect(inventory.stack('shop/web.nlb').securityGroup).to.equal(undefined);
  });
});
