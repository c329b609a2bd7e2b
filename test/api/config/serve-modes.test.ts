import { expect } from 'chai';
import { readConfig } from '../../../agent/config.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import type { ControlPlane } from '../../controlplane/control-plane.ts';
import { sharedCluster } from '../support/cluster.ts';
import { buildConfig, installRights, SYSTEM_NAMESPACE } from './support/install.ts';

interface Container {
  args: string[];
  env?: { name: string; value?: string }[];
  volumeMounts?: { mountPath: string }[];
  securityContext: { capabilities: { add?: string[]; drop?: string[] } };
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
}

interface Probe {
  httpGet: { host: string; port: number };
}

interface DaemonSet extends KubeObject {
  spec: {
    template: {
      spec: {
        hostNetwork?: boolean;
        containers: Container[];
        initContainers?: Container[];
        volumes?: { hostPath?: { path: string } }[];
      };
    };
  };
}

describe('config of the agent: beside kube-proxy, in its place, and gone', function () {
  this.timeout(60_000);
  let cluster: ControlPlane;

  before(async function () {
    this.timeout(600_000);
    cluster = await sharedCluster();
    await installRights(cluster);
  });

  async function podOf(folder: string): Promise<DaemonSet['spec']['template']['spec']> {
    const objects = await buildConfig(cluster, folder);
    const found = objects.find((object): object is DaemonSet => object.kind === 'DaemonSet');
    if (found === undefined) throw new Error(`there is no DaemonSet in ${folder}`);
    return found.spec.template.spec;
  }

  async function agentOf(folder: string) {
    const [container] = (await podOf(folder)).containers;
    if (container === undefined) throw new Error('no container');
    const variables = Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));
    const config = readConfig(container.args.slice(1), { ...variables, FAIRLEAD_NODE_NAME: 'node-1' });
    if (config === 'help') throw new Error('no configuration');
    const { startupProbe, livenessProbe, readinessProbe } = container;
    const probes = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet);
    return { config, probes };
  }

  it('is beside kube-proxy by default, on ports that it has not', async () => {
    const { config, probes } = await agentOf('default');

    expect(config).to.deep.include({
      serve: 'Own',
      healthAddress: { host: '127.0.0.1', port: 10_356 },
      metricsAddress: { host: '127.0.0.1', port: 10_349 },
    });
    for (const probe of probes) expect(probe).to.include({ host: '127.0.0.1', port: 10_356 });
  });

  it('serves all in config/serve-all, and tells its health where kube-proxy did', async () => {
    const { config, probes } = await agentOf('serve-all');

    expect(config).to.deep.include({
      serve: 'All',
      healthAddress: { host: '0.0.0.0', port: 10_256 },
      metricsAddress: { host: '127.0.0.1', port: 10_249 },
    });
    for (const probe of probes) expect(probe).to.include({ host: '127.0.0.1', port: 10_256 });
  });

  it('has the settings of the node to write in config/serve-all, and nothing else of it', async () => {
    const text = await cluster.kubectl(['kustomize', 'config/serve-all']);
    await cluster.kubectl(
      ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'],
      text,
    );
    const { volumes = [], containers } = await podOf('serve-all');
    const { config } = await agentOf('serve-all');

    expect(volumes.flatMap(({ hostPath }) => hostPath?.path ?? [])).to.deep.equal(['/proc/sys/net']);
    expect(containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath)).to.have.members([
      `${config.conntrack?.procSys}/net`,
      '/dev/shm',
    ]);
    const { volumes: ofDefault = [] } = await podOf('default');
    expect(ofDefault.flatMap(({ hostPath }) => hostPath?.path ?? [])).to.deep.equal([]);
  });

  it('cleans every node up with config/cleanup, which the API server takes, and may no more than that', async () => {
    const text = await cluster.kubectl(['kustomize', 'config/cleanup']);
    await cluster.kubectl(
      ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'],
      text,
    );
    const pod = await podOf('cleanup');
    const [cleanup] = pod.initContainers ?? [];

    expect(pod.hostNetwork).to.equal(true);
    expect(readConfig(cleanup?.args.slice(1) ?? [], {})).to.include({ command: 'cleanup' });
    expect(cleanup?.securityContext.capabilities).to.deep.equal({ drop: ['ALL'], add: ['NET_ADMIN'] });
    for (const { securityContext } of pod.containers) {
      expect(securityContext.capabilities).to.deep.equal({ drop: ['ALL'] });
    }
    // Its namespace is gone by then, with Fairlead itself.
    const objects = await buildConfig(cluster, 'cleanup');
    expect(
      objects.map(({ kind, metadata }) => metadata.namespace ?? `${kind} ${metadata.name}`),
    ).to.have.members([`Namespace ${SYSTEM_NAMESPACE}`, SYSTEM_NAMESPACE]);
  });
});
