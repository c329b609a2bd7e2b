import { createServer } from 'node:net';
import { NODES } from '../../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../../controlplane/control-plane.ts';
import { installCrds } from '../../controlplane/install-crds.ts';
import { type BenchNode, HOST_ADDRESS, makeNetwork } from './bench-node.ts';
import { ENDPOINT_PORT } from './service-load.ts';

/** A real API server that knows these nodes, and what answers for sentinels. To be called once. */
export async function startBenchCluster(nodes: readonly BenchNode[]): Promise<ControlPlane> {
  makeNetwork();
  const cluster = await startControlPlane({ address: HOST_ADDRESS });
  const client = cluster.adminClient();
  await installCrds(client);
  for (const { name, address } of nodes) {
    await client.create(NODES, { metadata: { name } });
    await client.request('PATCH', `/api/v1/nodes/${name}/status`, {
      contentType: 'application/merge-patch+json',
      body: { status: { addresses: [{ type: 'InternalIP', address }] } },
    });
  }
  await client.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'fairlead-system' } } });
  createServer((socket) => socket.on('error', () => {}).end())
    .listen(ENDPOINT_PORT, '0.0.0.0')
    .unref();
  return cluster;
}
