import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../../../kube/objects.ts';
import type { ControlPlane } from '../../../controlplane/control-plane.ts';

export const SYSTEM_NAMESPACE = 'fairlead-system';

/** The objects of a folder of config/, as kustomize builds them. */
export async function buildConfig(cluster: ControlPlane, folder: string): Promise<KubeObject[]> {
  const text = await cluster.kubectl(['kustomize', `config/${folder}`]);
  return parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
}

/** What an administrator grants before anything runs: the namespace, the ServiceAccounts and their rights. */
export async function installRights(cluster: ControlPlane): Promise<void> {
  for (const folder of ['namespace', 'rbac']) {
    await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-k', `config/${folder}`]);
  }
}
