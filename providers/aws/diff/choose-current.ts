import type { AwsModel, SecurityGroupModel } from '../model.ts';
import type {
  AwsObserved,
  ObservedListener,
  ObservedLoadBalancer,
  ObservedTargetGroup,
} from '../observed.ts';
import { OWNER_TAGS } from '../tags.ts';

/** The load balancers of a stack, sorted by what becomes of them. */
export interface Current {
  /** The model, with the name of the one that it is about, and no more security groups than may be managed of that one. */
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
    // A name that was made up says what can't be changed: its tag, which says so too, may have been edited.
    observed.loadBalancers.find((each) => each.name === name) ??
    (isNamed ? undefined : observed.loadBalancers.find((each) => each.variant === variant)) ??
    (isNamed ? undefined : observed.loadBalancers.find((each) => isKept(model, each)));
  return {
    model: loadBalancer === undefined ? model : asFound(model, loadBalancer),
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

/**
 * Whether the new one serves in the place of the former: it is there, for all that share it and may, and has somebody to send
 * traffic to.
 */
export function mayReplace({ loadBalancer, model }: Current, observed: AwsObserved): boolean {
  if (loadBalancer?.state !== 'active') return false;
  const others = observed.members.filter(
    (member) => member !== model.member && model.accepted?.includes(member) === true,
  );
  if (!others.every((member) => servesOn(loadBalancer, member, observed))) return false;
  const isThere = (port: number) =>
    loadBalancer.listeners.some((each) => each.port === port && each.member === model.member);
  if (!model.listeners.every(({ port }) => isThere(port))) return false;
  const names = new Set(model.targetGroups.map(({ name }) => name));
  const wanted = model.targetGroups.some(({ targets }) => targets.length > 0);
  const groups = observed.targetGroups.filter(({ name }) => names.has(name));
  return !wanted || groups.some(hasHealthy);
}

/** Another of those that share, as far as that can be told from here. */
function servesOn({ listeners }: ObservedLoadBalancer, member: string, observed: AwsObserved): boolean {
  const own = listeners.filter((each) => each.member === member);
  const groups = observed.targetGroups.filter(({ arn }) =>
    own.some(({ targetGroupArn }) => targetGroupArn === arn),
  );
  const hasTargets = groups.some(({ targets }) => targets.length > 0);
  return own.length > 0 && (!hasTargets || groups.some(hasHealthy));
}

function hasHealthy({ targets }: ObservedTargetGroup): boolean {
  return targets.some(({ health }) => health === 'healthy');
}

/**
 * Whether a listener is of somebody who shares the load balancer no more, or may not as it is asked for now: what it serves
 * stays as it is, since nobody says where it should go.
 */
export function isHeld(
  { accepted, member: own }: Pick<AwsModel, 'accepted' | 'member'>,
  { member }: Pick<ObservedListener, 'member'>,
): boolean {
  return accepted !== undefined && member !== undefined && member !== own && !accepted.includes(member);
}

function asFound(model: AwsModel, { name, tags }: ObservedLoadBalancer): AwsModel {
  const isAdopted = tags[OWNER_TAGS.adopted] !== undefined;
  const { loadBalancer, securityGroup } = model;
  return {
    ...model,
    loadBalancer: { ...loadBalancer, name },
    securityGroup: isAdopted ? ofAdopted(securityGroup) : securityGroup,
  };
}

/** Its owner's groups say who may connect, whether an annotation names it still or not. */
function ofAdopted(securityGroup: SecurityGroupModel | undefined): SecurityGroupModel | undefined {
  const asked = securityGroup?.asked ?? [];
  if (securityGroup === undefined || asked.includes('clients')) return securityGroup;
  return asked.includes('nodes') ? { ...securityGroup, ingress: [] } : undefined;
}
