import { AwsError } from '../aws-error.ts';
import type { Mend, MendContext } from '../mend.ts';
import { object, objects, optionalText, type PlainObject, text } from '../plain.ts';

const HTTP: readonly string[] = ['HTTP', 'HTTPS'];

/**
 * moto has the defaults of application load balancers, and takes a matcher for groups of HTTP alone. In AWS it belongs to the
 * protocol of the health check.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyTargetGroup.html
 */
export const healthChecks: Mend = {
  service: 'elasticloadbalancing',
  before: {
    CreateTargetGroup(parameters) {
      if (HTTP.includes(text(parameters.Protocol))) return undefined;
      const check = optionalText(parameters.HealthCheckProtocol) ?? 'TCP';
      const overHttp = HTTP.includes(check);
      checkNumbers(parameters);
      if (!overHttp && (parameters.HealthCheckPath !== undefined || parameters.Matcher !== undefined)) {
        const what = parameters.Matcher === undefined ? 'path' : 'matcher';
        throw new AwsError(
          'ValidationError',
          `A health check ${what} cannot be specified with protocol ${check}`,
        );
      }
      parameters.HealthCheckProtocol = check;
      parameters.HealthCheckIntervalSeconds ??= '30';
      parameters.HealthCheckTimeoutSeconds ??= check === 'HTTP' ? '6' : '10';
      if (overHttp) {
        parameters.HealthCheckPath ??= '/';
        parameters.Matcher ??= { HttpCode: '200-399' };
      }
      return undefined;
    },
    ModifyTargetGroup(parameters, { view }) {
      const group = view.targetGroups.get(text(parameters.TargetGroupArn));
      checkNumbers(parameters);
      const matcher = optionalText(object(parameters.Matcher).HttpCode);
      if (group !== undefined && matcher !== undefined) group.matcher = matcher;
      return undefined;
    },
  },
  after: {
    CreateTargetGroup(parameters, result, context) {
      for (const made of objects(result.TargetGroups)) {
        const group = context.view.targetGroups.get(text(made.TargetGroupArn));
        if (group !== undefined) group.matcher ??= optionalText(object(parameters.Matcher).HttpCode);
      }
      describe(result, context);
    },
    ModifyTargetGroup: (_parameters, result, context) => describe(result, context),
    DescribeTargetGroups: (_parameters, result, context) => describe(result, context),
  },
};

function describe(result: PlainObject, { view }: MendContext): void {
  for (const shown of objects(result.TargetGroups)) {
    const group = view.targetGroups.get(text(shown.TargetGroupArn));
    if (group === undefined || HTTP.includes(group.protocol)) continue;
    const overHttp = HTTP.includes(text(shown.HealthCheckProtocol));
    shown.Matcher = overHttp ? { HttpCode: group.matcher ?? '200-399' } : undefined;
    shown.HealthCheckPath = overHttp ? (optionalText(shown.HealthCheckPath) ?? '/') : undefined;
  }
}

/** Bounds of what is given. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html */
const BOUNDS: Record<string, readonly [number, number]> = {
  HealthCheckIntervalSeconds: [5, 300],
  HealthCheckTimeoutSeconds: [2, 120],
  HealthyThresholdCount: [2, 10],
  UnhealthyThresholdCount: [2, 10],
};

function checkNumbers(parameters: PlainObject): void {
  for (const [name, [least, most]] of Object.entries(BOUNDS)) {
    const given = optionalText(parameters[name]);
    if (given === undefined || (Number(given) >= least && Number(given) <= most)) continue;
    throw new AwsError('ValidationError', `${name} '${given}' must be between ${least} and ${most}`);
  }
}
