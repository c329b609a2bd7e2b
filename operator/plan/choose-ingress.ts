import type { LoadBalancerIngress } from '../../kube/objects.ts';
import type { Traffic } from '../../providers/provider.ts';
import type { ShownProviders } from './read-annotations.ts';

/** One load balancer of a Service, as far as it matters for what the Service shows. */
export interface Candidate {
  ingress: readonly LoadBalancerIngress[];
  /** Traffic comes through, as far as its provider can tell. */
  serves: boolean;
  /** Whether clients get through, which they may though `serves` is false: something may be wrong besides. */
  traffic: Traffic;
}

export interface IngressInput {
  /** What the Service shows at present. */
  shown: readonly LoadBalancerIngress[];
  /** In the order in which providers were asked for. */
  wanted: readonly Candidate[];
  /** There are load balancers that the Service doesn't ask for any more, and they still serve. */
  isLeaving: boolean;
  /** Which of those that are wanted it shows. */
  providers: ShownProviders;
}

/**
 * What a Service shows: the addresses of the first provider that it asks for, or of all of them. Make before break: until
 * one of those serves, what is shown of another one stays.
 */
export function chooseIngress(input: IngressInput): LoadBalancerIngress[] {
  return input.providers === 'All' ? showAll(input) : showFirst(input);
}

/** Where nothing is shown, the next that serves steps in. */
function showFirst({ shown, wanted, isLeaving }: IngressInput): LoadBalancerIngress[] {
  const [first, ...others] = wanted;
  if (first === undefined) return [];
  // What was shown once stays: its provider may fail for a while, and traffic comes through all the same.
  const isShown = shown.some((each) => has(first, each));
  if (first.ingress.length > 0 && (first.serves || isShown)) return [...first.ingress];
  const isOfOther = others.some((other) => shown.every((each) => has(other, each)));
  if (shown.length > 0 && (isLeaving || isOfOther)) return [...shown];
  if (first.ingress.length > 0) return [...first.ingress];
  return [...(others.find(({ serves }) => serves)?.ingress ?? [])];
}

/**
 * Clients choose among them, by DNS: where no traffic passes leaves as long as it does elsewhere, and comes back when it does.
 * In the order of the providers, whichever of them tells of an address that several have.
 */
function showAll({ shown, wanted, isLeaving }: IngressInput): LoadBalancerIngress[] {
  if (shown.length > 0 && isLeaving && !wanted.some(({ serves }) => serves)) return [...shown];
  const all = wanted.flatMap(({ ingress }) => ingress).filter(isFirst);
  const at = (traffic: Traffic) =>
    all.filter((each) => wanted.some((one) => one.traffic === traffic && has(one, each)));
  const passes = at('Passes');
  const unknown = at('Unknown');
  const isShown = (each: LoadBalancerIngress) => shown.some((one) => isSame(one, each));
  const up = all.filter((each) => passes.includes(each) || (unknown.includes(each) && isShown(each)));
  if (up.length > 0) return up;
  const kept = all.filter(isShown);
  if (kept.length > 0) return kept;
  return unknown.length > 0 ? unknown : all;
}

function isFirst(each: LoadBalancerIngress, index: number, all: readonly LoadBalancerIngress[]): boolean {
  return all.findIndex((one) => isSame(one, each)) === index;
}

function has({ ingress }: Candidate, each: LoadBalancerIngress): boolean {
  return ingress.some((one) => isSame(one, each));
}

/** Of the same address or name; how traffic comes there (`ipMode`) is another matter. */
export function isSame(a: LoadBalancerIngress, b: LoadBalancerIngress): boolean {
  return a.ip === b.ip && a.hostname === b.hostname;
}
