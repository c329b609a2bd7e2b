import {
  keyValues,
  list,
  objects,
  optionalText,
  type Plain,
  type PlainObject,
  text,
  texts,
} from '../plain.ts';
import { REQUEST_TAG } from './evaluate-policy.ts';

/** What has to be allowed for a call: an action on a thing, of which its tags may matter. */
export interface NeededRight {
  action: string;
  /** ARN, or `*`. */
  resource: string;
  /** ARN or id by which its tags are found; undefined: it's made by this call, or has none. */
  tagged: string | undefined;
  context: Record<string, string>;
}

interface Caller {
  service: string;
  region: string;
  operation: string;
  parameters: PlainObject;
}

/**
 * What has to be allowed for one call, all of it. Things are those that the service's reference names as required:
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 */
export function neededRights(call: Caller): NeededRight[] {
  const { operation, parameters, service } = call;
  const action = `${service}:${operation}`;
  if (service === 'sts') {
    // Everybody may ask who he is.
    if (operation === 'GetCallerIdentity') return [];
    return [{ action, resource: optionalText(parameters.RoleArn) ?? '*', tagged: undefined, context: {} }];
  }
  if (operation.startsWith('Describe')) return [ofNothing(action)];
  if (service === 'ec2') return rightsInEc2(call, action);
  if (service === 'elasticloadbalancing')
    return [...rightsInElb(call, action), ...lookedAt(call).map((each) => ofNothing(`ec2:${each}`))];
  return [ofNothing(action)];
}

function ofNothing(action: string): NeededRight {
  return { action, resource: '*', tagged: undefined, context: {} };
}

/**
 * What ELBv2 looks at in EC2 in the name of the caller, who needs the right to do so:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html. That security groups are looked at,
 * too, isn't told there: https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3917. The role of the service,
 * which the first load balancer of an account makes, is there already.
 */
function lookedAt({ operation, parameters }: Caller): string[] {
  switch (operation) {
    case 'CreateLoadBalancer':
      return [
        'DescribeAccountAttributes',
        'DescribeAddresses',
        'DescribeInternetGateways',
        'DescribeSecurityGroups',
        'DescribeSubnets',
        'DescribeVpcs',
        ...(list(parameters.SecurityGroups).length === 0 ? [] : ['GetSecurityGroupsForVpc']),
      ];
    case 'CreateTargetGroup':
      return ['DescribeInternetGateways', 'DescribeVpcs'];
    case 'RegisterTargets':
      return ['DescribeInstances', 'DescribeInternetGateways', 'DescribeSubnets', 'DescribeVpcs'];
    case 'SetIpAddressType':
    case 'SetSubnets':
      return ['DescribeSubnets'];
    default:
      return [];
  }
}

function rightsInElb({ operation, parameters, region }: Caller, action: string): NeededRight[] {
  const context = requestTags(parameters.Tags);
  const name = text(parameters.Name);
  const arn = (rest: string) => `arn:aws:elasticloadbalancing:${region}:123456789012:${rest}`;
  const made = (resource: string): NeededRight[] => [
    { action, resource, tagged: undefined, context },
    ...tagging('elasticloadbalancing:AddTags', 'elasticloadbalancing', operation, resource, context),
  ];
  switch (operation) {
    case 'CreateLoadBalancer':
      return made(arn(`loadbalancer/net/${name}/new`));
    case 'CreateTargetGroup':
      return made(arn(`targetgroup/${name}/new`));
    case 'CreateListener': {
      const loadBalancer = text(parameters.LoadBalancerArn);
      const listener = `${loadBalancer.replace(':loadbalancer/', ':listener/')}/new`;
      return [
        { action, resource: loadBalancer, tagged: loadBalancer, context },
        ...tagging('elasticloadbalancing:AddTags', 'elasticloadbalancing', operation, listener, context),
      ];
    }
    case 'AddTags':
    case 'RemoveTags':
      return texts(parameters.ResourceArns).map((each) => ({
        action,
        resource: each,
        tagged: each,
        context,
      }));
    default: {
      const { ListenerArn, LoadBalancerArn, TargetGroupArn } = parameters;
      const resource = optionalText(ListenerArn ?? TargetGroupArn ?? LoadBalancerArn) ?? '*';
      return [{ action, resource, tagged: resource, context }];
    }
  }
}

function rightsInEc2({ operation, parameters, region }: Caller, action: string): NeededRight[] {
  const arn = (kind: string, id: string) => `arn:aws:ec2:${region}:123456789012:${kind}/${id}`;
  switch (operation) {
    case 'CreateSecurityGroup': {
      const vpc = text(parameters.VpcId);
      const resource = arn('security-group', 'new');
      const [specification] = objects(parameters.TagSpecification);
      const context = requestTags(specification?.Tag);
      return [
        { action, resource, tagged: undefined, context },
        { action, resource: arn('vpc', vpc), tagged: vpc, context: {} },
        ...tagging('ec2:CreateTags', 'ec2', operation, resource, context),
      ];
    }
    case 'CreateTags':
    case 'DeleteTags':
      return texts(parameters.ResourceId).map((id) => ({
        action,
        resource: arn(id.startsWith('sg-') ? 'security-group' : '*', id),
        tagged: id,
        context: requestTags(parameters.Tag),
      }));
    default: {
      const group = text(parameters.GroupId);
      return [{ action, resource: arn('security-group', group), tagged: group, context: {} }];
    }
  }
}

/** Whoever makes something with tags needs the right to tag it, too. */
function tagging(
  action: string,
  service: string,
  createAction: string,
  resource: string,
  tags: Record<string, string>,
): NeededRight[] {
  if (Object.keys(tags).length === 0) return [];
  const context = { ...tags, [`${service}:CreateAction`]: createAction };
  return [{ action, resource, tagged: undefined, context }];
}

function requestTags(tags: Plain | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(keyValues(tags)).map(([key, value]) => [`${REQUEST_TAG}${key}`, value]),
  );
}
