import type { Frontend, LoadBalancer, LoadBalancerSpec } from '../../crds/load-balancer.ts';
import type { CertificateReport, Fault } from '../model.ts';
import type { CertificateState } from './edge-certificates.ts';

export interface ChosenCertificates extends CertificateReport {
  /** In the order of their Secrets; empty: nothing can be served that ends TLS. */
  files: string[];
}

/** The Secrets that a load balancer names, as `namespace/name`: of its own namespace only. */
export function secretsOf({ metadata, spec }: LoadBalancer): string[] {
  return (spec.haproxy?.tls?.secretNames ?? []).map((name) => `${metadata.namespace ?? ''}/${name}`);
}

export function endsTls({ haproxy }: LoadBalancerSpec, { name, port, protocol }: Frontend): boolean {
  if (haproxy?.tls === undefined || protocol !== 'TCP') return false;
  const { ports } = haproxy.tls;
  return ports === undefined || ports.some((each) => each === name || each === String(port));
}

/** One that expired is served all the same: whether that is better than nothing, its clients say. */
export function chooseCertificates(
  loadBalancer: LoadBalancer,
  certificateOf: (secret: string) => CertificateState | undefined,
  now: Date,
): ChosenCertificates {
  const chosen: ChosenCertificates = { files: [], faults: [], served: [] };
  for (const secret of secretsOf(loadBalancer)) {
    const { fault, file, notAfter } = certificateOf(secret) ?? {};
    if (fault !== undefined) chosen.faults.push(fault);
    if (file === undefined) continue;
    chosen.files.push(file);
    if (notAfter === undefined) continue;
    chosen.served.push({ secretName: secret.slice(secret.indexOf('/') + 1), notAfter });
    if (notAfter < now && fault === undefined) chosen.faults.push(expired(secret, notAfter));
  }
  return chosen;
}

/** A port that isn't there is most often another one misspelled, and that one must not be served without TLS. */
export function findUnknownPorts({ frontends = [], haproxy }: LoadBalancerSpec): Fault | undefined {
  const known = frontends.flatMap(({ name, port, protocol }) =>
    protocol === 'TCP' ? [name, String(port)] : [],
  );
  const unknown = (haproxy?.tls?.ports ?? []).filter((each) => !known.includes(each));
  if (unknown.length === 0) return undefined;
  return {
    reason: 'TLSPortNotFound',
    message: `The Service has no TCP port "${unknown.join('", "')}" to end TLS at: correct fairlead.dev/tls-ports.`,
  };
}

function expired(secret: string, notAfter: Date): Fault {
  const message = `The certificate in Secret ${secret} expired at ${notAfter.toISOString()}, and is served all the same: renew it.`;
  return { reason: 'CertificateExpired', message };
}
