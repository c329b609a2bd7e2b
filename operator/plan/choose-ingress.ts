import type { LoadBalancerIngress } from '../../kube/objects.ts';

/** One load balancer of a Service, as far as it matters for what the Service shows. */
export interface Candidate {
  ingress: readonly LoadBalancerIngress[];
  /** Traffic comes through, as far as its provider can tell. */
  serves: boolean;
}

export interface IngressInput {
  /** What the Service shows at present. */
  shown: readonly LoadBalancerIngress[];
  /** In the order in which providers were asked for. */
  wanted: readonly Candidate[];
  /** There are load balancers that the Service doesn't ask for any more, and they still serve. */
  isLeaving: boolean;
}

/**
 * What a Service shows: the addresses of the first provider that it asks for. Make before break: until that one serves, what
 * is shown of another one stays; and where nothing is shown, the next that serves steps in.
 */
export function chooseIngress({ shown, wanted, isLeaving }: IngressInput): LoadBalancerIngress[] {
  const [first, ...others] = wanted;
  if (first === undefined) return [];
  const has = ({ ingress }: Candidate, each: LoadBalancerIngress) => ingress.some((one) => isSame(one, each));
  // What was shown once stays: its provider may fail for a while, and traffic comes through all the same.
  const isShown = shown.some((each) => has(first, each));
  if (first.ingress.length > 0 && (first.serves || isShown)) return [...first.ingress];
  const isOfOther = others.some((other) => shown.every((each) => has(other, each)));
  if (shown.length > 0 && (isLeaving || isOfOther)) return [...shown];
  if (first.ingress.length > 0) return [...first.ingress];
  return [...(others.find(({ serves }) => serves)?.ingress ?? [])];
}

function isSame(a: LoadBalancerIngress, b: LoadBalancerIngress): boolean {
  return a.ip === b.ip && a.hostname === b.hostname;
}
