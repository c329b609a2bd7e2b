import { setTimeout as sleep } from 'node:timers/promises';
import { ENDPOINT_SLICES, SERVICES } from '../../../../kube/resources.ts';
import type { ConformanceLab } from './lab.ts';
import { N1, N2, N3, P2A, type Place } from './places.ts';
import { NAMESPACE, serviceOf, slicesOf } from './sketch.ts';

const TIMEOUT_MS = 60_000;

/**
 * Resolves once every node, or each of those named, serves what the API server has been told so far, in every family: a Service that is made now,
 * so that what was written before it, and dropped or refused ever since, was so by rules that are in.
 */
export async function awaitBeacon(
  lab: ConformanceLab,
  name: string,
  nodes: readonly Place[] = [N1, N2, N3],
): Promise<void> {
  const sketch = { endpoints: [P2A] };
  const nowhere = { IPv4: '', IPv6: '' };
  const allotment = { name, vip: nowhere, externalIp: nowhere, families: lab.families };
  const service = await lab.client.create(SERVICES, serviceOf(sketch, allotment));
  const slices = slicesOf(sketch, allotment);
  await Promise.all(slices.map((slice) => lab.client.create(ENDPOINT_SLICES, slice)));
  try {
    const waits = nodes.flatMap((node) =>
      lab.families.map((_, index) => untilServed(lab, node.name, service.spec.clusterIPs?.[index] ?? '')),
    );
    await Promise.all(waits);
  } finally {
    await Promise.all([
      lab.client.delete(SERVICES, NAMESPACE, name),
      ...slices.map(({ metadata }) => lab.client.delete(ENDPOINT_SLICES, NAMESPACE, metadata.name)),
    ]);
  }
}

async function untilServed(lab: ConformanceLab, node: string, address: string): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  while ((await lab.station(node).dial('tcp', address, 80, 250)).result !== 'served') {
    if (performance.now() > deadline) throw new Error(`the rules of ${node} don't follow the API server`);
    await sleep(20);
  }
}
