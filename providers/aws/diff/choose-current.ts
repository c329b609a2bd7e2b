import type { AwsModel } from '../model.ts';
import type { AwsObserved, ObservedLoadBalancer } from '../observed.ts';
import { OWNER_TAGS } from '../tags.ts';

/** The load balancers of a stack, sorted by what becomes of them. */
export interface Current {
  /** The model, with the name of the one that it is about. */
  model: AwsModel;
  /** The one that the model is about; undefined: it isn't there yet. */
  loadBalancer: ObservedLoadBalancer | undefined;
  /** Those whose place it takes. */
  former: ObservedLoadBalancer[];
}

/** A name that nobody gave is no reason to replace one that is as it ought to be otherwise. */
export function chooseCurrent(model: AwsModel, observed: AwsObserved): Current {
  const { isNamed, name, variant } = model.loadBalancer;
  const loadBalancer =
    findAdopted(model, observed) ??
    observed.loadBalancers.find((each) => each.name === name && (each.variant === variant || isNamed)) ??
    (isNamed ? undefined : observed.loadBalancers.find((each) => each.variant === variant)) ??
    (isNamed ? undefined : observed.loadBalancers.find((each) => isKept(model, each)));
  return {
    model: loadBalancer === undefined ? model : withName(model, loadBalancer.name),
    loadBalancer,
    former: observed.loadBalancers.filter(({ arn }) => arn !== loadBalancer?.arn),
  };
}

/** One that was adopted isn't lost with the annotation that named it. */
function isKept({ loadBalancer }: AwsModel, { scheme, tags }: ObservedLoadBalancer): boolean {
  return tags[OWNER_TAGS.adopted] !== undefined && scheme === loadBalancer.scheme;
}

function findAdopted({ adopt }: AwsModel, { adoptable, loadBalancers }: AwsObserved) {
  if (adopt === undefined) return undefined;
  return (
    loadBalancers.find(({ arn }) => arn === adopt.arn) ??
    (adoptable?.arn === adopt.arn ? adoptable : undefined)
  );
}

/** Whether the former ones may go: the new one is there, for all that share it, and has somebody to send traffic to. */
export function mayReplace({ loadBalancer, model }: Current, observed: AwsObserved): boolean {
  if (loadBalancer?.state !== 'active') return false;
  const others = observed.members.filter((member) => member !== model.member);
  const isThere = (member: string) => loadBalancer.listeners.some((listener) => listener.member === member);
  if (!others.every(isThere)) return false;
  if (
    !model.listeners.every(({ port }) => loadBalancer.listeners.some((listener) => listener.port === port))
  ) {
    return false;
  }
  const names = new Set(model.targetGroups.map(({ name }) => name));
  const wanted = model.targetGroups.some(({ targets }) => targets.length > 0);
  const groups = observed.targetGroups.filter(({ name }) => names.has(name));
  return !wanted || groups.some(({ targets }) => targets.some(({ health }) => health === 'healthy'));
}

function withName(model: AwsModel, name: string): AwsModel {
  return { ...model, loadBalancer: { ...model.loadBalancer, name } };
}
