import type { Told } from './tell-once.ts';

/** One text for each Service with external addresses that no rule allows it; the same on every node. */
export function describeNotAllowed(notAllowed: ReadonlyMap<string, readonly string[]>): Told[] {
  return Array.from(notAllowed, ([service, addresses]) => {
    const namespace = service.slice(0, service.indexOf('/'));
    const rule = `${namespace}=<range>`;
    return {
      service,
      note: `spec.externalIPs ${addresses.join(', ')}: not served, since the agents allow it to no Service of namespace ${namespace}; an administrator can, by --external-ips ${rule}.`,
    };
  });
}
