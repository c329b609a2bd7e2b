import { AwsError } from '../aws-error.ts';
import type { Mend } from '../mend.ts';
import { optionalText, text, texts } from '../plain.ts';
import type { View } from '../view.ts';
import { targetGroupsOf } from './target-groups-of-actions.ts';

/** Fixed. https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html */
const MAX_LISTENERS = 50;

/** What may be behind a listener: the table under "Listener configuration", and TCP_UDP groups behind either half. */
const BEHIND: Record<string, readonly string[]> = {
  TCP: ['TCP', 'TCP_UDP'],
  UDP: ['UDP', 'TCP_UDP'],
  TCP_UDP: ['TCP_UDP'],
  TLS: ['TCP', 'TLS'],
};

/**
 * moto lets two listeners have one port, knows no quota, lets a target group be behind several load balancers and any protocol,
 * and finds those that are there among listeners of which some aren't.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html
 */
export const listeners: Mend = {
  service: 'elasticloadbalancing',
  before: {
    CreateListener(parameters, { view }) {
      const loadBalancer = view.loadBalancers.get(text(parameters.LoadBalancerArn));
      if (loadBalancer === undefined) return undefined;
      const siblings = view.listenersOf(loadBalancer.arn);
      const port = text(parameters.Port);
      if (siblings.some((sibling) => sibling.port === port)) throw duplicate();
      if (siblings.length >= MAX_LISTENERS) {
        throw new AwsError(
          'TooManyListeners',
          "You've reached the limit on the number of listeners per load balancer",
        );
      }
      const groups = targetGroupsOf(parameters.DefaultActions);
      if (loadBalancer.network) checkGroups(view, groups, loadBalancer.arn, text(parameters.Protocol));
      return undefined;
    },
    DescribeListeners(parameters, { view }) {
      if (texts(parameters.ListenerArns).every((arn) => view.listeners.has(arn))) return undefined;
      throw notFound();
    },
    ModifyListener(parameters, { view }) {
      const listener = view.listeners.get(text(parameters.ListenerArn));
      if (listener === undefined) throw notFound();
      const { arn, loadBalancerArn } = listener;
      const port = optionalText(parameters.Port) ?? listener.port;
      const siblings = view.listenersOf(loadBalancerArn).filter((sibling) => sibling.arn !== arn);
      if (siblings.some((sibling) => sibling.port === port)) throw duplicate();
      const groups =
        parameters.DefaultActions === undefined
          ? listener.targetGroups
          : targetGroupsOf(parameters.DefaultActions);
      const protocol = optionalText(parameters.Protocol) ?? listener.protocol;
      if (view.loadBalancers.get(loadBalancerArn)?.network)
        checkGroups(view, groups, loadBalancerArn, protocol);
      return undefined;
    },
  },
};

function notFound(): AwsError {
  return new AwsError('ListenerNotFound', 'One or more listeners not found');
}

function duplicate(): AwsError {
  return new AwsError('DuplicateListener', 'A listener already exists on this port for this load balancer');
}

function checkGroups(view: View, arns: readonly string[], loadBalancerArn: string, protocol: string): void {
  for (const arn of arns) {
    const group = view.targetGroups.get(arn);
    if (group === undefined) throw new AwsError('TargetGroupNotFound', `Target group '${arn}' not found`);
    if (view.loadBalancersOf(arn).some((other) => other !== loadBalancerArn)) {
      throw new AwsError(
        'TargetGroupAssociationLimit',
        `The following target groups cannot be associated with more than one load balancer: ${arn}`,
      );
    }
    if (!BEHIND[protocol]?.includes(group.protocol)) {
      throw new AwsError(
        'IncompatibleProtocols',
        `The listener and its associated target group '${arn}' have incompatible protocols: '${protocol}' and '${group.protocol}'`,
      );
    }
  }
}
