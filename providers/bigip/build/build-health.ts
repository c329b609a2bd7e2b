import type { BigipConfig } from '../../../crds/bigip-provider.ts';
import type { Frontend } from '../../../crds/load-balancer.ts';
import type { DesiredLoadBalancer } from '../../provider.ts';
import type { JsonObject } from '../json.ts';

/** kube-proxy's health port, where the agent answers when it takes its place: whether the node serves at all. */
const NODE_HEALTH_PORT = 10_256;
const NODE_HEALTH_PATH = '/healthz';

/**
 * How targets of a port are asked: nodes whether they have an endpoint (externalTrafficPolicy Local) or serve at all, pods
 * whether they take a connection, or answer a path. Nobody can be asked over UDP or SCTP: pods of those are pinged.
 */
export function buildHealth(
  { protocol }: Frontend,
  { spec }: Pick<DesiredLoadBalancer, 'spec'>,
  { healthCheck }: Pick<BigipConfig, 'healthCheck'>,
): { name: string; monitor: JsonObject } {
  const { intervalSeconds = 5, timeoutSeconds = 16 } = healthCheck ?? {};
  const times = { interval: intervalSeconds, timeout: timeoutSeconds };
  const { externalTrafficPolicy, healthCheckNodePort, healthCheckPath } = spec;
  if (healthCheckPath !== undefined && protocol === 'TCP') {
    return { name: 'health_path', monitor: buildHttp(healthCheckPath, undefined, times) };
  }
  if (spec.targets.mode === 'Pod') {
    const type = protocol === 'TCP' ? 'tcp' : 'icmp';
    return { name: `health_${type}`, monitor: { class: 'Monitor', monitorType: type, ...times } };
  }
  const isLocal = externalTrafficPolicy === 'Local' && healthCheckNodePort !== undefined;
  const port = isLocal ? healthCheckNodePort : (healthCheck?.port ?? NODE_HEALTH_PORT);
  return { name: 'health_node', monitor: buildHttp(NODE_HEALTH_PATH, port, times) };
}

/** `\r\n` as the device writes it, in four characters. */
function buildHttp(path: string, port: number | undefined, times: JsonObject): JsonObject {
  return {
    class: 'Monitor',
    monitorType: 'http',
    send: `GET ${path} HTTP/1.1\\r\\nHost: fairlead\\r\\nConnection: close\\r\\n\\r\\n`,
    receive: '^HTTP/1\\.[01] 2',
    ...(port === undefined ? {} : { targetPort: port }),
    ...times,
  };
}
