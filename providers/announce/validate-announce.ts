import type { LoadBalancerProviderSpec } from '../../crds/load-balancer-provider.ts';
import type { Finding } from '../provider.ts';

/** Linux: 15 bytes, no slash, no blank, no colon, and not the directory entries (`dev_valid_name`). */
const INTERFACE = /^(?!\.{1,2}$)[!-.0-9;-~]{1,15}$/;

/** What is wrong with a provider of type announce, beyond what its schema refuses. */
export function validateAnnounce({ announce, targets }: LoadBalancerProviderSpec): Finding[] {
  const bad = (announce?.interfaces ?? []).filter((name) => !INTERFACE.test(name));
  const findings: Finding[] = bad.map((name) => ({
    reason: 'InvalidInterface',
    message: `"${name}" in announce.interfaces can't be the name of an interface: correct it.`,
  }));
  if (targets?.mode === 'Pod') {
    findings.push({
      reason: 'TargetsModeNotServed',
      message:
        'targets.mode Pod means nothing to a provider of type announce, whose nodes forward: use NodePort.',
    });
  }
  return findings;
}
