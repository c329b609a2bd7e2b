import type { Mend } from '../mend.ts';
import { keyValues, objects, optionalText, text, texts } from '../plain.ts';
import { settingsOf } from './names-of-load-balancers.ts';
import { targetGroupsOf } from './target-groups-of-actions.ts';

/** No mend itself: notes what became of each write, for those that are. The first of all that look at results. */
export const keepView: Mend = {
  service: 'elasticloadbalancing',
  after: {
    CreateLoadBalancer(parameters, result, { view, now }) {
      for (const made of objects(result.LoadBalancers)) {
        const arn = text(made.LoadBalancerArn);
        if (view.loadBalancers.has(arn)) continue;
        view.loadBalancers.set(arn, {
          sequence: view.nextSequence(),
          arn,
          name: text(made.LoadBalancerName),
          network: parameters.Type === 'network',
          scheme: text(made.Scheme),
          createdAt: now(),
          settings: settingsOf(parameters),
          subnets: objects(made.AvailabilityZones).map((zone) => ({
            subnetId: text(zone.SubnetId),
            zone: text(zone.ZoneName),
            vpcId: text(made.VpcId),
            addresses: [],
          })),
          securityGroups: texts(parameters.SecurityGroups),
          deletionProtection: false,
        });
      }
    },
    SetSecurityGroups(parameters, _result, { view, now }) {
      const loadBalancer = view.loadBalancers.get(text(parameters.LoadBalancerArn));
      if (loadBalancer === undefined) return;
      for (const id of loadBalancer.securityGroups) view.securityGroupReleases.set(id, now());
      loadBalancer.securityGroups = texts(parameters.SecurityGroups);
    },
    ModifyLoadBalancerAttributes(parameters, _result, { view }) {
      const loadBalancer = view.loadBalancers.get(text(parameters.LoadBalancerArn));
      const value = keyValues(parameters.Attributes)['deletion_protection.enabled'];
      if (loadBalancer && value !== undefined) loadBalancer.deletionProtection = value === 'true';
    },
    DeleteLoadBalancer(parameters, _result, { view, now }) {
      const arn = text(parameters.LoadBalancerArn);
      for (const id of view.loadBalancers.get(arn)?.securityGroups ?? [])
        view.securityGroupReleases.set(id, now());
      const listeners = view.listenersOf(arn);
      for (const listener of listeners) view.listeners.delete(listener.arn);
      release(
        view,
        listeners.flatMap(({ targetGroups }) => targetGroups),
        now(),
      );
      view.loadBalancers.delete(arn);
    },
    CreateListener(parameters, result, { view }) {
      for (const made of objects(result.Listeners)) {
        const arn = text(made.ListenerArn);
        view.listeners.set(arn, {
          arn,
          loadBalancerArn: text(parameters.LoadBalancerArn),
          port: text(parameters.Port),
          protocol: text(parameters.Protocol),
          targetGroups: targetGroupsOf(parameters.DefaultActions),
          certificate: optionalText(objects(parameters.Certificates)[0]?.CertificateArn),
          alpnPolicy: texts(parameters.AlpnPolicy),
        });
      }
    },
    ModifyListener(parameters, _result, { view, now }) {
      const listener = view.listeners.get(text(parameters.ListenerArn));
      if (listener === undefined) return;
      const { targetGroups } = listener;
      if (parameters.DefaultActions !== undefined)
        listener.targetGroups = targetGroupsOf(parameters.DefaultActions);
      listener.port = optionalText(parameters.Port) ?? listener.port;
      release(view, targetGroups, now());
    },
    DeleteListener(parameters, _result, { view, now }) {
      const listener = view.listeners.get(text(parameters.ListenerArn));
      view.listeners.delete(text(parameters.ListenerArn));
      release(view, listener?.targetGroups ?? [], now());
    },
    CreateTargetGroup(parameters, result, { view }) {
      for (const made of objects(result.TargetGroups)) {
        const arn = text(made.TargetGroupArn);
        if (view.targetGroups.has(arn)) continue;
        view.targetGroups.set(arn, {
          arn,
          name: text(made.TargetGroupName),
          protocol: text(made.Protocol),
          port: text(made.Port),
          targetType: text(made.TargetType),
          vpcId: text(made.VpcId),
          settings: settingsOf(parameters),
          matcher: undefined,
          attributes: {},
          targets: new Map(),
          releasedAt: undefined,
        });
      }
    },
    AddTags(parameters, _result, { view }) {
      for (const arn of texts(parameters.ResourceArns)) view.tags.delete(arn);
    },
    RemoveTags(parameters, _result, { view }) {
      for (const arn of texts(parameters.ResourceArns)) view.tags.delete(arn);
    },
    DeleteTargetGroup(parameters, _result, { view }) {
      view.targetGroups.delete(text(parameters.TargetGroupArn));
    },
  },
};

type Released = {
  targetGroups: Map<string, { releasedAt: number | undefined }>;
  loadBalancersOf(arn: string): string[];
};

function release(view: Released, arns: readonly string[], now: number): void {
  for (const arn of arns) {
    const group = view.targetGroups.get(arn);
    if (group !== undefined && view.loadBalancersOf(arn).length === 0) group.releasedAt = now;
  }
}
