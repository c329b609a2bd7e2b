import { expect } from 'chai';
import { applyChange } from '../../../../providers/aws/apply/apply.ts';
import { covers, mergePorts } from '../../../../providers/aws/apply/merge-ports.ts';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { diffSubject } from '../../../../providers/aws/diff/diff-subject.ts';
import { observeSubject } from '../../../../providers/aws/observe/observe.ts';
import type { DesiredLoadBalancer } from '../../../../providers/provider.ts';
import { desiredWith } from './support/desired.ts';
import { inventoryWith } from './support/fake-account.ts';
import { LiveAccount, NODES } from './support/live-account.ts';

const signal = new AbortController().signal;
const COUNT = 30;

describe('providers/aws: rules of nodes for many at once', () => {
  const nodes = () => ({ GroupId: NODES, GroupName: 'nodes', VpcId: 'vpc-1', tags: {}, IpPermissions: [] });
  const services = Array.from({ length: COUNT }, (_, index) =>
    desiredWith({
      service: `web-${index}`,
      spec: { frontends: [{ protocol: 'TCP', port: 80, nodePort: 30_000 + index * 10 }] },
    }),
  );

  function start() {
    const account = new LiveAccount({ loadBalancers: [], targetGroups: [], securityGroups: [nodes()] });
    // As long as AWS takes: others come meanwhile.
    const slow = Object.entries(account.handlers).map(([name, handler]) => [
      name,
      async (input: Parameters<typeof handler>[0]) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        return handler(input);
      },
    ]);
    const inventory = inventoryWith(Object.fromEntries(slow));
    const bring = async ({ id, provider, spec }: DesiredLoadBalancer, isWanted: boolean) => {
      const subject = { id, provider, spec };
      const config = provider.spec.aws ?? { region: 'eu-central-1' };
      const model = isWanted
        ? buildModel(services.find((each) => each.id.name === id.name) ?? desiredWith())
        : undefined;
      const changes = diffSubject(model, await observeSubject(inventory, subject, undefined, signal));
      for (const change of changes) await applyChange(change, { inventory, subject, config, signal });
      return changes.length;
    };
    const rulesOfNodes = () =>
      account.account.securityGroups
        .find(({ GroupId }) => GroupId === NODES)
        ?.IpPermissions?.map(({ FromPort = 0, ToPort = 0 }) => ({
          protocol: 'tcp' as const,
          fromPort: FromPort,
          toPort: ToPort,
        })) ?? [];
    return { account, bring, rulesOfNodes };
  }

  it('are written for all that wait, not for one after the other', async () => {
    const { account, bring, rulesOfNodes } = start();
    await Promise.all(services.map((each) => bring(each, true)));
    const writes = account.writes.filter(({ touched }) => touched.includes(NODES));
    expect(writes.length).to.be.at.most(COUNT / 3);
    const ports = services.flatMap(({ spec }) =>
      (spec.frontends ?? []).map(({ nodePort = 0 }) => ({
        protocol: 'tcp' as const,
        fromPort: nodePort,
        toPort: nodePort,
      })),
    );
    expect(covers(rulesOfNodes(), ports)).to.equal(true);
    expect(rulesOfNodes()).to.have.length(mergePorts(ports, 40).length + 1);
    // And all of them know it.
    for (const each of services) expect(await bring(each, true)).to.equal(0);
  });

  it('go with the last that needs them', async () => {
    const { account, bring, rulesOfNodes } = start();
    await Promise.all(services.map((each) => bring(each, true)));
    const [first, ...others] = services;
    for (const each of others) await bring(each, false);
    expect(
      rulesOfNodes()
        .map(({ fromPort }) => fromPort)
        .sort(),
    ).to.deep.equal([10_256, 30_000]);
    if (first !== undefined) await bring(first, false);
    expect(rulesOfNodes()).to.deep.equal([]);
    expect(account.account.securityGroups).to.have.length(1);
  });
});
