import { AwsError } from '../aws-error.ts';
import type { Mend } from '../mend.ts';
import type { MotoClient } from '../moto-client.ts';
import { objects, optionalText, type PlainObject, text, texts } from '../plain.ts';
import type { View } from '../view.ts';

const MOST = 400;
/** Of names or ARNs that are asked for. */
const MOST_NAMED = 20;

/**
 * moto's pages of load balancers have 50, break off when the one they ended with was deleted since, and its target groups come
 * all at once. In AWS a page has 400, and the marker says nothing to anybody. It also finds a load balancer when only some of
 * those asked for are there.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html
 */
export const pages: Mend = {
  service: 'elasticloadbalancing',
  before: {
    async DescribeLoadBalancers(parameters, { view, moto }) {
      checkNamed(parameters.LoadBalancerArns, parameters.Names);
      if (namesLoadBalancers(parameters)) {
        checkThere(parameters, view);
        return undefined;
      }
      const size = pageSize(parameters);
      const from = markerOf(parameters);
      const all = [...view.loadBalancers.values()];
      const rest = all.filter(({ sequence }) => sequence > from);
      const page = rest.slice(0, size);
      const last = page.at(-1);
      if (last === undefined) return { LoadBalancers: [] };
      const previous = all[all.length - rest.length - 1];
      const result = await moto.elb('DescribeLoadBalancers', {
        PageSize: String(page.length),
        ...(previous !== undefined && { Marker: previous.name }),
      });
      result.NextMarker = rest.length > page.length ? toMarker(last.sequence) : undefined;
      return result;
    },
    async DescribeTargetGroups(parameters, { view, moto }) {
      checkNamed(parameters.TargetGroupArns, parameters.Names);
      const loadBalancerArn = optionalText(parameters.LoadBalancerArn);
      if (loadBalancerArn !== undefined) return behind(loadBalancerArn, view, moto);
      const { PageSize: _size, Marker: _marker, ...rest } = parameters;
      const result = await moto.elb('DescribeTargetGroups', rest);
      if (texts(parameters.TargetGroupArns).length > 0 || texts(parameters.Names).length > 0) return result;
      const size = pageSize(parameters);
      const marker = optionalText(parameters.Marker);
      const after = marker === undefined ? '' : Buffer.from(marker, 'base64').toString();
      const left = objects(result.TargetGroups).filter((group) => text(group.TargetGroupName) > after);
      const page = left.slice(0, size);
      result.TargetGroups = page;
      const last = text(page.at(-1)?.TargetGroupName);
      result.NextMarker = left.length > page.length ? Buffer.from(last).toString('base64') : undefined;
      return result;
    },
  },
};

/** moto knows those that ever were, and fails where there is none. */
async function behind(loadBalancerArn: string, view: View, moto: MotoClient): Promise<PlainObject> {
  if (!view.loadBalancers.has(loadBalancerArn)) {
    throw new AwsError('LoadBalancerNotFound', `Load balancer '${loadBalancerArn}' not found`);
  }
  const TargetGroupArns = [
    ...new Set(view.listenersOf(loadBalancerArn).flatMap(({ targetGroups }) => targetGroups)),
  ];
  if (TargetGroupArns.length === 0) return { TargetGroups: [] };
  return moto.elb('DescribeTargetGroups', { TargetGroupArns });
}

function namesLoadBalancers(parameters: PlainObject): boolean {
  return texts(parameters.LoadBalancerArns).length > 0 || texts(parameters.Names).length > 0;
}

function checkThere(parameters: PlainObject, view: View): void {
  const missing = [
    ...texts(parameters.LoadBalancerArns).filter((arn) => !view.loadBalancers.has(arn)),
    ...texts(parameters.Names).filter((name) => view.loadBalancerNamed(name) === undefined),
  ];
  if (missing.length === 0) return;
  throw new AwsError('LoadBalancerNotFound', `Load balancers '[${missing.join(', ')}]' not found`);
}

function checkNamed(...lists: readonly (PlainObject[string] | undefined)[]): void {
  const longest = Math.max(...lists.map((named) => texts(named).length));
  if (longest > MOST_NAMED) {
    throw new AwsError(
      'ValidationError',
      `The number of names or ARNs, ${longest}, exceeds the limit of ${MOST_NAMED}`,
    );
  }
}

function pageSize(parameters: PlainObject): number {
  const size = Number(optionalText(parameters.PageSize) ?? MOST);
  if (Number.isInteger(size) && size >= 1 && size <= MOST) return size;
  throw new AwsError('ValidationError', `Page size '${size}' must be between 1 and ${MOST}`);
}

function toMarker(sequence: number): string {
  return Buffer.from(String(sequence)).toString('base64');
}

function markerOf(parameters: PlainObject): number {
  const marker = optionalText(parameters.Marker);
  if (marker === undefined) return 0;
  const sequence = Number(Buffer.from(marker, 'base64').toString());
  if (Number.isInteger(sequence)) return sequence;
  throw new AwsError('ValidationError', `Invalid marker '${marker}'`);
}
