/**
 * The lab's kubelet: one process a node, in the node's network namespace, as `system:node:<name>`.
 *
 *   node test/lab/kubelet/main.ts --node 1 --kubeconfig FILE --state-dir DIR --log-dir DIR
 *
 * Ended by whatever signal, it leaves its pods running; the next one takes them over.
 */
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { KubeClient } from '../../../kube/client.ts';
import { loadConnectionConfig } from '../../../kube/config.ts';
import { createLogger } from '../../../kube/log.ts';
import { labNode } from '../network/addresses.ts';
import { AddressSlots } from './address-slots.ts';
import { Heartbeat } from './heartbeat.ts';
import { echoLauncher } from './launch-container.ts';
import { PodManager } from './pod-manager.ts';
import { PodRecords } from './pod-records.ts';

const { values } = parseArgs({
  options: {
    node: { type: 'string' },
    kubeconfig: { type: 'string' },
    'state-dir': { type: 'string' },
    'log-dir': { type: 'string' },
  },
});
const { kubeconfig, 'state-dir': stateDir, 'log-dir': logDir } = values;
if (!values.node || !kubeconfig || !stateDir || !logDir) {
  throw new Error('--node, --kubeconfig, --state-dir and --log-dir are all needed');
}

const node = labNode(Number(values.node));
const log = createLogger({ component: 'lab-kubelet' }).child({ node: node.name });
const client = new KubeClient(await loadConnectionConfig({ kubeconfig }), {
  userAgent: 'fairlead-lab-kubelet',
});
mkdirSync(logDir, { recursive: true });
const manager = new PodManager({
  client,
  node,
  log,
  slots: new AddressSlots(),
  records: new PodRecords(stateDir),
  launch: echoLauncher(node.name, logDir),
});
await new Heartbeat(client, node, log).start();
log.info('NodeReady', { address: node.internal.v4 });
await manager.start();
