import type { HealthCheckModel, TargetGroupModel } from '../model.ts';
import type { BuildMember } from './build-input.ts';

/** kube-proxy's health port, where the agent answers when it takes its place: whether the node serves at all. */
const NODE_HEALTH_PORT = '10256';
const NODE_HEALTH_PATH = '/healthz';
const GOOD_CODES = '200-399';

/**
 * How targets are asked: nodes whether they have an endpoint (externalTrafficPolicy Local) or serve at all, pods whether
 * they take a connection; whoever names a path means the pods, wherever traffic goes. All else as people say.
 */
export function buildHealthCheck(member: BuildMember, of: TargetGroupModel['protocol']): HealthCheckModel {
  const { healthCheck: own = {} } = member.options;
  const usual = buildUsual(member, of);
  const protocol = own.protocol ?? usual.protocol;
  const { intervalSeconds = 10 } = own;
  return {
    protocol,
    port: own.port ?? usual.port,
    path: protocol === 'TCP' ? undefined : (own.path ?? usual.path),
    intervalSeconds,
    // An answer has to come before the next question.
    timeoutSeconds: own.timeoutSeconds ?? Math.min(6, intervalSeconds - 1),
    healthyThreshold: own.healthyThreshold ?? 2,
    unhealthyThreshold: own.unhealthyThreshold ?? 2,
    matcher: protocol === 'TCP' ? undefined : (own.successCodes ?? GOOD_CODES),
  };
}

/** Where nothing is said of protocol, port and path. */
function buildUsual(
  { options: { healthCheck: own = {} }, spec }: BuildMember,
  of: TargetGroupModel['protocol'],
): Pick<HealthCheckModel, 'protocol' | 'port'> & { path: string } {
  const path = own.path ?? spec.healthCheckPath;
  const isPods = spec.targets.mode === 'Pod';
  const overHttp = of === 'TLS' ? 'HTTPS' : 'HTTP';
  // UDP alone has no port that HTTP could be spoken to.
  if (path !== undefined && (own.port !== undefined || of !== 'UDP')) {
    return { protocol: overHttp, port: 'traffic-port', path };
  }
  if (isPods || own.port !== undefined) return { protocol: 'TCP', port: 'traffic-port', path: '/' };
  const { externalTrafficPolicy, healthCheckNodePort } = spec;
  const isLocal = externalTrafficPolicy === 'Local' && healthCheckNodePort !== undefined;
  return {
    protocol: 'HTTP',
    port: isLocal ? String(healthCheckNodePort) : NODE_HEALTH_PORT,
    path: NODE_HEALTH_PATH,
  };
}
