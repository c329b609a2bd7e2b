import type { ControlPlane } from '../controlplane/control-plane.ts';

/** What config/default applies, but for the Deployment and the DaemonSet: their processes run without containers here. */
const FOLDERS = ['namespace', 'crd', 'rbac'];

/** Applies the CRDs and the rights of config/ as an administrator would; resolves once the API serves the kinds. */
export async function installProduct(controlPlane: ControlPlane): Promise<void> {
  for (const folder of FOLDERS) {
    const path = new URL(`../../config/${folder}`, import.meta.url).pathname;
    await controlPlane.kubectl(['apply', '--server-side', '-k', path]);
  }
  await controlPlane.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all']);
}
