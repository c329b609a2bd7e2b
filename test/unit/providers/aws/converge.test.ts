import { expect } from 'chai';
import fc from 'fast-check';
import type { AwsOptions } from '../../../../crds/aws-provider.ts';
import type { Frontend } from '../../../../crds/load-balancer.ts';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { diffModel, planModel } from '../../../../providers/aws/diff/diff-model.ts';
import type { LoadBalancerModel } from '../../../../providers/aws/model.ts';
import { tellStatus } from '../../../../providers/aws/status.ts';
import type { DesiredLoadBalancer } from '../../../../providers/provider.ts';
import { AwsPicture } from './support/aws-picture.ts';
import { converge, remove } from './support/converge.ts';
import { type DesiredOptions, desiredWith, NETWORK, nodeOf } from './support/desired.ts';

const CERTIFICATES = ['arn:aws:acm:eu-central-1:1:certificate/a', 'arn:aws:acm:eu-central-1:1:certificate/b'];

const frontends: fc.Arbitrary<Frontend[]> = fc
  .uniqueArray(
    fc.record({
      protocol: fc.constantFrom('TCP' as const, 'UDP' as const),
      port: fc.constantFrom(53, 80, 443),
      nodePort: fc.integer({ min: 30_000, max: 30_003 }),
    }),
    { minLength: 1, maxLength: 4, selector: ({ port, protocol }) => `${protocol} ${port}` },
  )
  // TCP and UDP of a port go to one node port.
  .map((list) =>
    list.map((each) => ({ ...each, nodePort: list.find(({ port }) => port === each.port)?.nodePort ?? 0 })),
  );

const options: fc.Arbitrary<AwsOptions> = fc.record(
  {
    name: fc.constantFrom('one', 'two'),
    ipAddressType: fc.constantFrom('ipv4' as const, 'dualstack' as const),
    subnets: fc.constantFrom(
      ['subnet-0'],
      ['subnet-0', 'subnet-1'],
      ['subnet-3', 'subnet-1'],
      ['subnet-3', 'subnet-4', 'subnet-5'],
    ),
    securityGroups: fc.constantFrom(['sg-own'], ['sg-own', 'sg-other']),
    manageSecurityGroup: fc.boolean(),
    manageBackendRules: fc.boolean(),
    attributes: fc.constantFrom(
      { 'load_balancing.cross_zone.enabled': 'true' },
      { 'load_balancing.cross_zone.enabled': 'false' },
    ),
    targetGroupAttributes: fc.constantFrom(
      { 'proxy_protocol_v2.enabled': 'true' },
      { 'proxy_protocol_v2.enabled': 'false' },
    ),
    listenerAttributes: fc.constantFrom(
      { 'tcp.idle_timeout.seconds': '60' },
      { 'tcp.idle_timeout.seconds': '600' },
    ),
    healthCheck: fc.constantFrom(
      { path: '/up', port: '8080' },
      { protocol: 'TCP' as const },
      { intervalSeconds: 30 },
    ),
    tls: fc.constantFrom(
      { certificateARNs: CERTIFICATES, ports: ['443'] },
      { certificateARNs: CERTIFICATES.slice(1), ports: ['443'], alpnPolicy: 'HTTP2Preferred' as const },
      {
        certificateARNs: CERTIFICATES.slice(0, 1),
        ports: ['443'],
        alpnPolicy: 'None' as const,
        policy: 'ELBSecurityPolicy-TLS13-1-2-2021-06',
      },
      { certificateARNs: CERTIFICATES.slice(0, 1), ports: ['443'], backendProtocol: 'TLS' as const },
    ),
    tags: fc.constantFrom({ team: 'a' }, { team: 'b', cost: '1' }),
  },
  { requiredKeys: [] },
);

const desired: fc.Arbitrary<DesiredLoadBalancer> = fc
  .record({
    spec: fc.record(
      {
        scheme: fc.constantFrom('Public' as const, 'Internal' as const),
        frontends,
        sourceRanges: fc.constantFrom(
          ['10.0.0.0/8'],
          ['10.1.2.3/8', '192.0.2.0/24'],
          ['FD00::1/64', '0.0.0.0/0'],
        ),
        sessionAffinitySeconds: fc.constant(60),
        targets: fc.record({
          mode: fc.constantFrom('NodePort' as const, 'Pod' as const),
          drainSeconds: fc.constantFrom(0, 30, 300),
        }),
      },
      { requiredKeys: [] },
    ),
    aws: options,
    nodes: fc.subarray([1, 2, 3]).map((list) => list.map(nodeOf)),
    pods: fc.constant([
      {
        protocol: 'TCP' as const,
        port: 80,
        address: '10.1.0.1',
        targetPort: 8080,
        pod: 'web-1',
        gated: false,
      },
      {
        protocol: 'UDP' as const,
        port: 53,
        address: '10.1.0.1',
        targetPort: 5353,
        pod: 'web-1',
        gated: true,
      },
    ]),
  } satisfies { [K in keyof DesiredOptions]: fc.Arbitrary<DesiredOptions[K]> })
  .map(desiredWith)
  .filter((each) => buildModel(each).refusals.length === 0);

/** What there is of one member, in the words of its model. */
function summarize(aws: AwsPicture, member: string) {
  const names = new Map(aws.targetGroups.map(({ arn, name }) => [arn, name]));
  const [loadBalancer] = aws.loadBalancers;
  return {
    loadBalancers: aws.loadBalancers.length,
    scheme: loadBalancer?.scheme,
    ipAddressType: loadBalancer?.ipAddressType,
    hasGroups: (loadBalancer?.securityGroups.length ?? 0) > 0,
    subnets: (loadBalancer?.subnets ?? []).map(({ subnetId }) => subnetId).sort(),
    listeners: (loadBalancer?.listeners ?? [])
      .filter((each) => each.member === member)
      .map(({ port, protocol, targetGroupArn = '' }) => `${protocol} ${port} to ${names.get(targetGroupArn)}`)
      .sort(),
    targets: aws.targetGroups
      .filter((each) => each.member === member)
      .map(
        ({ name, targets }) =>
          `${name}: ${targets
            .map(({ id, port }) => `${id}:${port}`)
            .sort()
            .join(' ')}`,
      )
      .sort(),
  };
}

function describeModel(each: DesiredLoadBalancer): ReturnType<typeof summarize> {
  const { listeners, loadBalancer, securityGroup, targetGroups } = buildModel(each);
  const nameOf = (key: string) => targetGroups.find((group) => group.key === key)?.name;
  return {
    loadBalancers: 1,
    scheme: loadBalancer.scheme,
    ipAddressType: loadBalancer.ipAddressType,
    hasGroups: securityGroup !== undefined || loadBalancer.securityGroups.length > 0,
    subnets: subnetsOf(loadBalancer.subnets),
    listeners: listeners
      .map(({ port, protocol, targetGroup }) => `${protocol} ${port} to ${nameOf(targetGroup)}`)
      .sort(),
    targets: targetGroups
      .map(
        ({ name, targets }) =>
          `${name}: ${targets
            .map(({ id, port }) => `${id}:${port}`)
            .sort()
            .join(' ')}`,
      )
      .sort(),
  };
}

function subnetsOf(choice: LoadBalancerModel['subnets']): string[] {
  if (choice.kind === 'given') return choice.mappings.map(({ subnet }) => subnet).sort();
  return ['subnet-0', 'subnet-1', 'subnet-2'];
}

/** Somebody's hand at AWS. */
const drifts: Record<string, (aws: AwsPicture) => void> = {
  'a listener is gone': ({ loadBalancers }) => loadBalancers[0]?.listeners.pop(),
  'a target is gone': ({ targetGroups }) => targetGroups[0]?.targets.pop(),
  'a target too many': ({ targetGroups }) =>
    targetGroups[0]?.targets.push({ id: 'i-0ff', port: 1, health: 'healthy', reason: undefined }),
  'another health check': ({ targetGroups }) => {
    for (const group of targetGroups)
      Object.assign(group.healthCheck, { intervalSeconds: 77, path: '/', protocol: 'HTTPS' });
  },
  'other attributes': ({ targetGroups, loadBalancers }) => {
    for (const { attributes } of targetGroups) {
      Object.assign(attributes, {
        'deregistration_delay.timeout_seconds': '1',
        'stickiness.enabled': 'true',
      });
    }
    for (const { attributes, listeners } of loadBalancers) {
      if ('load_balancing.cross_zone.enabled' in attributes)
        attributes['load_balancing.cross_zone.enabled'] = 'maybe';
      for (const each of listeners) {
        if ('tcp.idle_timeout.seconds' in each.attributes) each.attributes['tcp.idle_timeout.seconds'] = '99';
      }
    }
  },
  'everybody let in': ({ securityGroup }) =>
    securityGroup?.ingress.push({ protocol: '-1', fromPort: -1, toPort: -1, cidr: '0.0.0.0/0' }),
  'a port closed': ({ securityGroup }) => securityGroup?.ingress.shift(),
  'a tag gone': ({ loadBalancers }) => {
    for (const { tags } of loadBalancers) delete tags.team;
  },
  'another listener': ({ loadBalancers }) => {
    for (const { listeners } of loadBalancers) {
      for (const each of listeners.filter(({ protocol }) => protocol === 'TLS')) {
        Object.assign(each, {
          alpnPolicy: 'HTTP2Only',
          sslPolicy: 'ELBSecurityPolicy-2015-05',
          certificates: ['x'],
        });
      }
    }
  },
  'a zone gone': ({ loadBalancers }) => {
    for (const { subnets } of loadBalancers) if (subnets.length > 1) subnets.pop();
  },
  'nodes let nothing in': (aws) => {
    if (aws.backendPorts !== undefined) aws.backendPorts = [];
  },
};

describe('providers/aws: diff', () => {
  it('comes from any state to any other, after which nothing is left to do', () => {
    fc.assert(
      fc.property(fc.array(desired, { minLength: 1, maxLength: 4 }), (list) => {
        const aws = new AwsPicture(structuredClone(NETWORK));
        for (const each of list) {
          if (planModel(buildModel(each), aws.observe('shop/web.nlb')).kind === 'refused') continue;
          converge(aws, each);
          expect(summarize(aws, 'shop/web.nlb')).to.deep.equal(describeModel(each));
        }
        remove(aws, list[0] ?? desiredWith());
        expect(aws.observe('shop/web.nlb')).to.deep.include({
          loadBalancers: [],
          targetGroups: [],
          securityGroup: undefined,
        });
      }),
      { numRuns: 300 },
    );
  });

  it('comes to the same end when it is cut off after any change', () => {
    fc.assert(
      fc.property(
        desired,
        desired,
        fc.array(fc.nat(8), { minLength: 1, maxLength: 4 }),
        (first, second, cuts) => {
          const aws = new AwsPicture(structuredClone(NETWORK));
          const cutAfter = (turn: number) => cuts[turn];
          converge(aws, first, { cutAfter });
          if (planModel(buildModel(second), aws.observe('shop/web.nlb')).kind === 'refused') return;
          converge(aws, second, { cutAfter });
          expect(summarize(aws, 'shop/web.nlb')).to.deep.equal(describeModel(second));
          remove(aws, second, { cutAfter });
          expect(aws.observe('shop/web.nlb')).to.deep.include({
            loadBalancers: [],
            targetGroups: [],
            securityGroup: undefined,
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('puts back what somebody else changed', () => {
    fc.assert(
      fc.property(desired, fc.subarray(Object.keys(drifts), { minLength: 1 }), (each, names) => {
        const aws = new AwsPicture(structuredClone(NETWORK));
        converge(aws, each);
        const before = structuredClone(aws.observe('shop/web.nlb'));
        for (const name of names) drifts[name]?.(aws);
        converge(aws, each);
        expect(summarize(aws, 'shop/web.nlb')).to.deep.equal(describeModel(each));
        expect(byText(aws.securityGroup?.ingress)).to.deep.equal(byText(before.securityGroup?.ingress));
        // Without a target there's nothing to find the nodes' group by.
        if ((before.backendPorts ?? []).length > 0)
          expect(aws.backendPorts).to.deep.equal(before.backendPorts);
        for (const { name, attributes, healthCheck } of before.targetGroups) {
          const now = aws.targetGroups.find((group) => group.name === name);
          expect(now?.attributes).to.include(attributes);
          expect(now?.healthCheck).to.include(JSON.parse(JSON.stringify(healthCheck)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('has a load balancer that serves at each moment, once there was one', () => {
    fc.assert(
      fc.property(desired, desired, (first, second) => {
        const aws = new AwsPicture(structuredClone(NETWORK));
        converge(aws, first);
        if (planModel(buildModel(second), aws.observe('shop/web.nlb')).kind === 'refused') return;
        const wasThere = aws.loadBalancers.map(({ name }) => name);
        converge(aws, second, {
          after: () => {
            expect(
              aws.loadBalancers.some(({ name, state }) => state === 'active' || wasThere.includes(name)),
            ).to.equal(true);
            const shown = tellStatus(buildModel(second), aws.observe('shop/web.nlb')).ingress;
            expect(shown.map(({ hostname }) => hostname)).to.include.oneOf(
              aws.loadBalancers.map(({ dnsName }) => dnsName),
            );
          },
        });
      }),
      { numRuns: 300 },
    );
  });

  it('never asks for a deletion before what takes the place of it is made', () => {
    fc.assert(
      fc.property(desired, desired, (first, second) => {
        const aws = new AwsPicture(structuredClone(NETWORK));
        converge(aws, first);
        const changes = diffModel(buildModel(second), aws.observe('shop/web.nlb'));
        const lastCreation = changes.findLastIndex(
          ({ action, resource }) => action === 'Create' && resource !== 'Target',
        );
        const firstDeletion = changes.findIndex(
          ({ action, call }) => action === 'Delete' && call !== 'DeleteListener',
        );
        if (lastCreation >= 0 && firstDeletion >= 0) expect(firstDeletion).to.be.greaterThan(lastCreation);
      }),
    );
  });
});

function byText(rules: readonly object[] | undefined): string[] {
  return (rules ?? []).map((rule) => JSON.stringify(Object.entries(rule).sort())).sort();
}
