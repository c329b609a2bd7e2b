import { expect } from 'chai';
import type { Outcome } from '../../support/station-protocol.ts';
import type { BesideLab } from './beside-lab.ts';
import { readKeys } from './foreign-rules.ts';
import { B1, CLIENT, OTHER_SOURCE, P1, P2 } from './places.ts';
import { clusterIpsOf, forwardingPortOf, nodePortOf, type ServiceSketch, vipsOf } from './services.ts';

const pods = [P1, P2];
const outside = { type: 'LoadBalancer', loadBalancer: true } as const;

/** What both proxies see, from the first test on. */
export const PLAIN: ServiceSketch = { name: 'plain', host: 11, pods, ...outside };
export const LABELLED: ServiceSketch = {
  name: 'labelled',
  host: 12,
  pods,
  type: 'NodePort',
  proxy: 'fairlead',
};
const OTHERS: ServiceSketch = { name: 'others', host: 13, pods, type: 'NodePort', proxy: 'somebody-else' };
const EMPTY: ServiceSketch = { name: 'empty', host: 14, ...outside };
const EMPTY_LABELLED: ServiceSketch = { name: 'empty-labelled', host: 15, proxy: 'fairlead' };
const RANGED: ServiceSketch = {
  name: 'ranged',
  host: 16,
  pods,
  ...outside,
  spec: { loadBalancerSourceRanges: [`${CLIENT.address}/32`, `${CLIENT.address6}/128`] },
};
/** Its only endpoint isn't on the node that its addresses are routed to. */
export const LOCAL: ServiceSketch = {
  name: 'local',
  host: 17,
  pods: [P2],
  ...outside,
  spec: { externalTrafficPolicy: 'Local', healthCheckNodePort: 30_217 },
};
export const SERVICES: readonly ServiceSketch[] = [
  PLAIN,
  LABELLED,
  OTHERS,
  EMPTY,
  EMPTY_LABELLED,
  RANGED,
  LOCAL,
];

const SHORT_MS = 400;
const nodeAddresses = [B1.address, B1.address6];

/** How dials at a port of several addresses end, each once, by the names of the results. */
export async function dial(
  lab: BesideLab,
  from: { name: string },
  addresses: readonly string[],
  port: number,
  options: { other?: boolean; timeoutMs?: number } = {},
): Promise<string[]> {
  const { other = false, timeoutMs = 3_000 } = options;
  const outcomes = await lab.station(from).dialAll(
    addresses.map((address) => ({
      transport: 'tcp' as const,
      address,
      port,
      timeoutMs,
      ...(other ? { source: address.includes(':') ? OTHER_SOURCE.IPv6 : OTHER_SOURCE.IPv4 } : {}),
    })),
  );
  return [...new Set(outcomes.map(nameOf))].sort();
}

function nameOf(outcome: Outcome): string {
  return outcome.result === 'failed' ? outcome.code : outcome.result;
}

/** What is kube-proxy's, over both families. */
export async function expectKubeProxys(lab: BesideLab): Promise<void> {
  expect(await dial(lab, P1, clusterIpsOf(11), 80), 'ClusterIP from a pod').to.deep.equal(['served']);
  expect(await dial(lab, B1, clusterIpsOf(11), 80), 'ClusterIP from a node').to.deep.equal(['served']);
  expect(await dial(lab, CLIENT, nodeAddresses, nodePortOf(11)), 'node port').to.deep.equal(['served']);
  expect(await dial(lab, P1, clusterIpsOf(14), 80), 'ClusterIP without endpoints').to.deep.equal(['refused']);
}

/** What is Fairlead's, of Services with its label. */
export async function expectLabelled(lab: BesideLab): Promise<void> {
  expect(await dial(lab, P1, clusterIpsOf(12), 80), 'labelled, from a pod').to.deep.equal(['served']);
  expect(await dial(lab, B1, clusterIpsOf(12), 80), 'labelled, from a node').to.deep.equal(['served']);
  expect(await dial(lab, CLIENT, nodeAddresses, nodePortOf(12)), 'labelled, node port').to.deep.equal([
    'served',
  ]);
  for (const from of [P1, B1]) {
    expect(await dial(lab, from, clusterIpsOf(15), 80), `labelled, empty, ${from.name}`).to.deep.equal([
      'refused',
    ]);
    expect(await dial(lab, from, clusterIpsOf(12), 81), `labelled, no such port, ${from.name}`).to.deep.equal(
      ['refused'],
    );
  }
}

/** Load balancers' addresses: Fairlead serves them, and kube-proxy would, alike but for what is told here. */
export async function expectVips(lab: BesideLab, by: 'fairlead' | 'kube-proxy'): Promise<void> {
  for (const from of [CLIENT, P1, B1]) {
    expect(await dial(lab, from, vipsOf(11), 80), `VIP from ${from.name}`).to.deep.equal(['served']);
    // kube-proxy's chain of refused external addresses (KUBE-EXTERNAL-SERVICES) isn't in iptables' OUTPUT.
    if (by === 'kube-proxy' && lab.mode === 'iptables' && from === B1) continue;
    expect(await dial(lab, from, vipsOf(14), 80), `VIP without endpoints from ${from.name}`).to.deep.equal([
      'refused',
    ]);
  }
  expect(await dial(lab, CLIENT, vipsOf(16), 80), 'VIP, within its ranges').to.deep.equal(['served']);
  expect(
    await dial(lab, CLIENT, vipsOf(16), 80, { other: true, timeoutMs: SHORT_MS }),
    'VIP, outside of its ranges',
  ).to.deep.equal(['timeout']);
  expect(
    await dial(lab, CLIENT, nodeAddresses, nodePortOf(16), { other: true }),
    'node port, outside of the ranges',
  ).to.deep.equal(['served']);
  expect(
    await dial(lab, CLIENT, vipsOf(17), 80, { timeoutMs: SHORT_MS }),
    'VIP, policy Local, no endpoint here',
  ).to.deep.equal(['timeout']);
  expect(await dial(lab, P1, vipsOf(17), 80), 'VIP, policy Local, from a pod').to.deep.equal(['served']);
}

export async function expectForwardingPort(lab: BesideLab): Promise<void> {
  expect(await dial(lab, CLIENT, nodeAddresses, forwardingPortOf(11)), 'forwarding port').to.deep.equal([
    'served',
  ]);
}

/** Neither of the two proxies serves what names a third. */
export async function expectOthersUnserved(lab: BesideLab): Promise<void> {
  const results = [
    ...(await dial(lab, P1, clusterIpsOf(13), 80, { timeoutMs: SHORT_MS })),
    ...(await dial(lab, CLIENT, nodeAddresses, nodePortOf(13), { timeoutMs: SHORT_MS })),
  ];
  expect(results, 'of another proxy').not.to.include('served');
}

/** Our maps name what is ours, and nothing else. */
export async function expectOwnKeys(): Promise<void> {
  const at = (addresses: readonly string[]) => addresses.map((address) => `${address} . tcp . 80`);
  expect(await readKeys('services')).to.deep.equal(
    at([...clusterIpsOf(12), ...vipsOf(11), ...vipsOf(16), ...vipsOf(17)]).sort(),
  );
  expect(await readKeys('no-endpoint-services')).to.deep.equal(
    at([...clusterIpsOf(15), ...vipsOf(14), ...vipsOf(17)]).sort(),
  );
  const forwardingPorts = [11, 16, 17].map((host) => `tcp . ${forwardingPortOf(host)}`);
  const ports = [...forwardingPorts, `tcp . ${nodePortOf(12)}`];
  expect(await readKeys('nodeports')).to.deep.equal([...ports, ...ports].sort());
  expect(await readKeys('firewall')).to.deep.equal(at(vipsOf(16)).sort());
}

/** Both serve what is theirs. */
export async function expectBoth(lab: BesideLab): Promise<void> {
  await expectKubeProxys(lab);
  await expectLabelled(lab);
  await expectVips(lab, 'fairlead');
  await expectForwardingPort(lab);
  await expectOthersUnserved(lab);
  await expectOwnKeys();
}
