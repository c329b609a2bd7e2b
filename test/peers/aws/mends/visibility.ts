import { AwsError } from '../aws-error.ts';
import type { After, Before, Mend, MendContext } from '../mend.ts';
import { objects, optionalText, type PlainObject, text, texts } from '../plain.ts';

/**
 * moto sees at once what was made. AWS' reads lag behind its writes for a moment, at times: what was made just now isn't found
 * and isn't listed, and a new security group takes no rules.
 * https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
export const visibility: Mend = {
  service: 'elasticloadbalancing',
  before: {
    DescribeLoadBalancers: finds('LoadBalancerNotFound', 'LoadBalancerArns'),
    DescribeLoadBalancerAttributes: finds('LoadBalancerNotFound', 'LoadBalancerArn'),
    DescribeTargetGroups: finds('TargetGroupNotFound', 'TargetGroupArns'),
    DescribeTargetGroupAttributes: finds('TargetGroupNotFound', 'TargetGroupArn'),
    DescribeTargetHealth: finds('TargetGroupNotFound', 'TargetGroupArn'),
    DescribeListeners: finds('ListenerNotFound', 'ListenerArns'),
    DescribeTags: finds('LoadBalancerNotFound', 'ResourceArns'),
  },
  after: {
    CreateLoadBalancer: notes('LoadBalancers', 'LoadBalancerArn'),
    CreateTargetGroup: notes('TargetGroups', 'TargetGroupArn'),
    CreateListener: notes('Listeners', 'ListenerArn'),
    DescribeLoadBalancers: leavesOut('LoadBalancers', 'LoadBalancerArn'),
    DescribeTargetGroups: leavesOut('TargetGroups', 'TargetGroupArn'),
    DescribeListeners: leavesOut('Listeners', 'ListenerArn'),
  },
};

/** The same of security groups. */
export const visibilityOfSecurityGroups: Mend = {
  service: 'ec2',
  before: {
    DescribeSecurityGroups: finds('InvalidGroup.NotFound', 'GroupId'),
    AuthorizeSecurityGroupIngress: finds('InvalidGroup.NotFound', 'GroupId'),
  },
  after: {
    CreateSecurityGroup(_parameters, result, { view, now }) {
      view.madeAt.set(text(result.groupId), now());
    },
    DescribeSecurityGroups: leavesOut('securityGroupInfo', 'groupId'),
  },
};

/** Throws for what a parameter names, one or several, that can't be seen yet. */
function finds(code: string, parameter: string): Before {
  return (parameters, context) => {
    const value = parameters[parameter];
    const named = [optionalText(value) ?? [], texts(value)].flat();
    const hidden = named.find((name) => isHidden(name, context));
    if (hidden !== undefined) throw new AwsError(code, `'${hidden}' not found`);
    return undefined;
  };
}

function notes(list: string, key: string): After {
  return (_parameters, result, { view, now }) => {
    for (const made of objects(result[list])) {
      const name = text(made[key]);
      if (!view.madeAt.has(name)) view.madeAt.set(name, now());
    }
  };
}

function leavesOut(list: string, key: string): After {
  return (_parameters, result: PlainObject, context) => {
    result[list] = objects(result[list]).filter((shown) => !isHidden(text(shown[key]), context));
  };
}

function isHidden(name: string, { view, times, now }: MendContext): boolean {
  const madeAt = view.madeAt.get(name);
  return madeAt !== undefined && now() - madeAt < times.visibleAfterMs;
}
