import { KubeClient } from '../../kube/client.ts';
import { loadConnectionConfig } from '../../kube/config.ts';
import { Elector } from '../../kube/elector.ts';
import { silentLogger } from '../../kube/log.ts';

/** Arguments: kubeconfig, namespace, times as JSON. Writes a line of JSON each 5 ms: `{"at": <wall clock>, "leads": ...}`. */
const [kubeconfig, namespace = '', times = '{}'] = process.argv.slice(2);
const client = new KubeClient(await loadConnectionConfig({ kubeconfig }));
const elector = new Elector({
  client,
  namespace,
  name: 'leader',
  identity: 'child',
  ...JSON.parse(times),
  log: silentLogger,
  onStartedLeading() {},
  onStoppedLeading() {},
});
elector.start();
setInterval(() => {
  // Asked first: after a pause in between, the answer is from before it and so must be the time.
  const at = Date.now();
  const leads = elector.isLeader;
  process.stdout.write(`${JSON.stringify({ at, leads })}\n`);
}, 5);
