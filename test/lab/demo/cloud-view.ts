import { object, objects, type PlainObject, text } from '../../peers/aws/plain.ts';
import type { DemoLab } from './demo-lab.ts';

/** A load balancer as AWS has it, with what belongs to it. */
export interface CloudLoadBalancer {
  arn: string;
  name: string;
  scheme: string;
  state: string;
  dnsName: string;
  listeners: { arn: string; port: string; protocol: string; targetGroup: string }[];
  targetGroups: { name: string; arn: string; targets: { id: string; port: string; health: string }[] }[];
}

/** All load balancers, as AWS itself tells. */
export async function lookAtCloud(lab: DemoLab): Promise<CloudLoadBalancer[]> {
  const ask = async (operation: string, parameters: PlainObject = {}) =>
    await lab.control.call('askCloud', { service: 'elb', operation, parameters });
  const found: CloudLoadBalancer[] = [];
  for (const each of objects((await ask('DescribeLoadBalancers')).LoadBalancers)) {
    const arn = text(each.LoadBalancerArn);
    const groups = objects((await ask('DescribeTargetGroups', { LoadBalancerArn: arn })).TargetGroups);
    const targetGroups: CloudLoadBalancer['targetGroups'] = [];
    for (const group of groups) {
      const TargetGroupArn = text(group.TargetGroupArn);
      const health = objects(
        (await ask('DescribeTargetHealth', { TargetGroupArn })).TargetHealthDescriptions,
      );
      targetGroups.push({
        name: text(group.TargetGroupName),
        arn: TargetGroupArn,
        targets: health.map(readTarget),
      });
    }
    const listeners = objects((await ask('DescribeListeners', { LoadBalancerArn: arn })).Listeners);
    found.push({
      arn,
      name: text(each.LoadBalancerName),
      scheme: text(each.Scheme),
      state: text(object(each.State).Code),
      dnsName: text(each.DNSName),
      listeners: listeners.map((listener) => ({
        arn: text(listener.ListenerArn),
        port: text(listener.Port),
        protocol: text(listener.Protocol),
        targetGroup: targetGroups.find(({ arn }) => arn === forwardedTo(listener))?.name ?? '',
      })),
      targetGroups,
    });
  }
  return found;
}

/** Lines for the terminal. */
export function describeCloud(loadBalancers: readonly CloudLoadBalancer[]): string {
  return loadBalancers
    .flatMap(({ name, scheme, state, listeners, targetGroups }) => [
      `${name}  ${scheme}  ${state}`,
      ...listeners.map(
        ({ port, protocol, targetGroup }) => `  listener ${protocol} ${port} -> ${targetGroup}`,
      ),
      ...targetGroups.flatMap((group) => [
        `  target group ${group.name}`,
        ...group.targets.map(({ id, port, health }) => `    ${id}:${port}  ${health}`),
      ]),
    ])
    .join('\n');
}

function readTarget(description: PlainObject): { id: string; port: string; health: string } {
  const { Id, Port } = object(description.Target);
  return { id: text(Id), port: text(Port), health: text(object(description.TargetHealth).State) };
}

function forwardedTo({ DefaultActions }: PlainObject): string {
  const [action = {}] = objects(DefaultActions);
  return text(action.TargetGroupArn);
}
