export interface HealthAnswer {
  status: 200 | 503;
  headers: Record<string, string | number>;
  body: string;
}

export interface HealthState {
  namespace: string;
  name: string;
  localEndpoints: number;
  /** This agent keeps up with the cluster. */
  proxyHealthy: boolean;
}

/**
 * What a load balancer's health check gets, whatever it asks. Load balancers compare and weigh this text: it is that of
 * kube-proxy (`service_health.go`) to the letter, indented by tabs, without a newline at its end.
 */
export function renderHealthAnswer(state: HealthState): HealthAnswer {
  const { namespace, name, localEndpoints, proxyHealthy } = state;
  const body = JSON.stringify(
    { service: { namespace, name }, localEndpoints, serviceProxyHealthy: proxyHealthy },
    null,
    '\t',
  );
  return {
    status: localEndpoints > 0 && proxyHealthy ? 200 : 503,
    headers: {
      'Content-Type': 'application/json',
      'X-Content-Type-Options': 'nosniff',
      'X-Load-Balancing-Endpoint-Weight': localEndpoints,
      'Content-Length': Buffer.byteLength(body),
    },
    body,
  };
}
