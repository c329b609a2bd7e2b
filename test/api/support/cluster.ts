import { randomBytes } from 'node:crypto';
import type { ControlPlane } from '../../controlplane/control-plane.ts';

let shared: Promise<ControlPlane> | undefined;

/**
 * One API server with Fairlead's kinds for the whole mocha run, without controllers: a deleted namespace stays
 * Terminating, and nobody makes default ServiceAccounts or EndpointSlices. Tests keep to namespaces of their own.
 * root-hooks.ts stops it.
 */
export function sharedCluster(): Promise<ControlPlane> {
  shared ??= start();
  return shared;
}

/** Stops the shared cluster if a test asked for it. */
export async function stopSharedCluster(): Promise<void> {
  const stopping = shared;
  shared = undefined;
  await (await stopping)?.stop();
}

/** Makes a namespace that no other test uses; returns its name. */
export async function freshNamespace(cluster: ControlPlane): Promise<string> {
  const name = `test-${randomBytes(5).toString('hex')}`;
  await cluster.adminClient().request('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
  });
  return name;
}

// Loaded on demand: this module is required by mocha's root hooks, and unit tests need none of it.
async function start(): Promise<ControlPlane> {
  const { startControlPlane } = await import('../../controlplane/control-plane.ts');
  const { installCrds } = await import('../../controlplane/install-crds.ts');
  const cluster = await startControlPlane();
  try {
    await installCrds(cluster.adminClient());
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}
