import type { LoadBalancerIngress, Service } from '../../../kube/objects.ts';
import { SERVICES } from '../../../kube/resources.ts';
import type { Pod } from '../../lab/kubelet/pod.ts';
import { PODS } from '../../lab/kubelet/pod.ts';
import type { Lab } from '../../lab/lab.ts';
import { eventually } from '../../support/eventually.ts';

export const HTTP_PORT = 8080;
export const UDP_PORT = 8081;

/** Makes a namespace with a Deployment `web` in it, and waits until its pods are ready. */
export async function deployWeb(lab: Lab, namespace: string, replicas = 3): Promise<void> {
  const labels = { app: 'web' };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels, annotations: { 'lab.fairlead.dev/probe-period-ms': '250' } },
        spec: {
          terminationGracePeriodSeconds: 20,
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: labels },
            },
          ],
          containers: [
            {
              name: 'web',
              image: 'registry.k8s.io/e2e-test-images/agnhost:2.53',
              args: ['netexec', `--http-port=${HTTP_PORT}`, `--udp-port=${UDP_PORT}`],
              readinessProbe: {
                httpGet: { path: '/healthz', port: HTTP_PORT },
                periodSeconds: 1,
                failureThreshold: 1,
              },
            },
          ],
        },
      },
    },
  };
  await lab.kubectl(['create', 'namespace', namespace]);
  await lab.kubectl(['apply', '-f', '-'], JSON.stringify(deployment));
  await rolledOut(lab, namespace);
}

export async function rolledOut(lab: Lab, namespace: string): Promise<void> {
  await lab.kubectl(['rollout', 'status', 'deployment/web', '-n', namespace, '--timeout=60s']);
}

/** Takes the pods away at once, and the namespace in the background: what goes must not weigh on the next test. */
export async function removeNamespace(lab: Lab, namespace: string): Promise<void> {
  await lab.kubectl(['delete', 'deployment', 'web', '-n', namespace, '--timeout=30s']);
  await lab.kubectl(['delete', 'pods', '--all', '-n', namespace, '--grace-period=0', '--force']);
  await lab.kubectl(['delete', 'namespace', namespace, '--wait=false']);
}

/** A Service before the pods of `deployWeb`: HTTP on 80, and UDP on 81. */
export function webService(
  namespace: string,
  name: string,
  spec: Partial<Service['spec']> = {},
  annotations: Record<string, string> = {},
): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, annotations },
    spec: {
      type: 'LoadBalancer',
      ipFamilyPolicy: 'RequireDualStack',
      selector: { app: 'web' },
      ports: [
        { name: 'http', protocol: 'TCP', port: 80, targetPort: HTTP_PORT },
        { name: 'udp', protocol: 'UDP', port: 81, targetPort: UDP_PORT },
      ],
      ...spec,
    },
  };
}

export interface Addresses {
  v4: string;
  v6: string;
}

/** The addresses in a Service's status; undefined until there is one of each family. */
export function addressesOf(ingress: readonly LoadBalancerIngress[] = []): Addresses | undefined {
  const ips = ingress.flatMap(({ ip }) => ip ?? []);
  const v4 = ips.find((ip) => !ip.includes(':'));
  const v6 = ips.find((ip) => ip.includes(':'));
  return v4 !== undefined && v6 !== undefined ? { v4, v6 } : undefined;
}

/** Waits until a Service has its addresses, and until they answer. */
export async function untilServed(lab: Lab, namespace: string, name: string): Promise<Addresses> {
  const addresses = await eventually(async () => {
    const { status } = await lab.api.get(SERVICES, namespace, name);
    const found = addressesOf(status?.loadBalancer?.ingress);
    if (!found) throw new Error(`${namespace}/${name} has no address of each family`);
    return found;
  });
  for (const host of [addresses.v4, `[${addresses.v6}]`]) {
    await eventually(async () => {
      const { ok, error } = await lab.client.request({ url: `http://${host}/` });
      if (!ok) throw new Error(`${host} doesn't answer: ${error}`);
    });
  }
  return addresses;
}

/** The pods of `deployWeb` that aren't on their way out. */
export async function podsOf(lab: Lab, namespace: string): Promise<Pod[]> {
  const { items } = await lab.api.list(PODS, { namespace, labelSelector: 'app=web' });
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** The nodes whose kernels have an address. */
export async function ownersOf(lab: Lab, address: string): Promise<string[]> {
  const owners: string[] = [];
  for (const { name } of lab.nodes) {
    const { stdout } = await lab.exec(name, ['ip', '-o', 'addr', 'show', 'to', address]);
    if (stdout.trim() !== '') owners.push(name);
  }
  return owners;
}
