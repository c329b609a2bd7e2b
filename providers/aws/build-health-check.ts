import type { BuildMember } from './build-input.ts';
import type { HealthCheckModel } from './model.ts';

/** kube-proxy's health port, where the agent answers when it takes its place: whether the node serves at all. */
const NODE_HEALTH_PORT = '10256';
const NODE_HEALTH_PATH = '/healthz';
const GOOD_CODES = '200-399';

/**
 * How targets are asked: nodes whether they have an endpoint (externalTrafficPolicy Local) or serve at all, pods whether
 * they take a connection; all else as people say.
 */
export function buildHealthCheck({ options, spec }: BuildMember): HealthCheckModel {
  const { healthCheck: own = {} } = options;
  const { externalTrafficPolicy, healthCheckNodePort, healthCheckPath } = spec;
  const isPods = spec.targets.mode === 'Pod';
  const asksNode = !isPods && own.port === undefined;
  const isLocal = asksNode && externalTrafficPolicy === 'Local' && healthCheckNodePort !== undefined;
  const path = own.path ?? healthCheckPath;
  const speaksHttp = asksNode || (isPods ? path !== undefined : false);
  const protocol =
    own.protocol ?? (speaksHttp || (path !== undefined && own.port !== undefined) ? 'HTTP' : 'TCP');
  const port =
    own.port ?? (isPods ? 'traffic-port' : isLocal ? String(healthCheckNodePort) : NODE_HEALTH_PORT);
  return {
    protocol,
    port,
    path: protocol === 'TCP' ? undefined : (path ?? (isPods ? '/' : NODE_HEALTH_PATH)),
    intervalSeconds: own.intervalSeconds ?? 10,
    timeoutSeconds: own.timeoutSeconds ?? 6,
    healthyThreshold: own.healthyThreshold ?? 2,
    unhealthyThreshold: own.unhealthyThreshold ?? 2,
    matcher: protocol === 'TCP' ? undefined : (own.successCodes ?? GOOD_CODES),
  };
}
