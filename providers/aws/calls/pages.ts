import type { AwsCaller, CallContext } from './call-aws.ts';
import type { InputOf, OutputOf } from './operations.ts';

/** Most of one page, and of one call that takes ARNs (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/). */
const ELB_PAGE = 400;
const EC2_PAGE = 1000;
export const ARNS_A_CALL = 20;

type ElbPaged =
  | 'DescribeLoadBalancers'
  | 'DescribeTargetGroups'
  | 'DescribeListeners'
  | 'DescribeListenerCertificates';
type Ec2Paged =
  | 'DescribeSubnets'
  | 'DescribeSecurityGroups'
  | 'DescribeNetworkInterfaces'
  | 'DescribeInstances';

/** All pages of a call of ELBv2. */
export async function elbPages<N extends ElbPaged>(
  calls: AwsCaller,
  operation: N,
  input: InputOf<N>,
  context: CallContext,
): Promise<OutputOf<N>[]> {
  const pages: OutputOf<N>[] = [];
  let marker: { Marker?: string } = {};
  for (;;) {
    const page = await calls.call(operation, { ...input, ...marker, PageSize: ELB_PAGE }, context);
    pages.push(page);
    if (page.NextMarker === undefined || page.NextMarker === '') return pages;
    marker = { Marker: page.NextMarker };
  }
}

/** All pages of a call of EC2; ids go into filters, since EC2 refuses pages of a list of ids. */
export async function ec2Pages<N extends Ec2Paged>(
  calls: AwsCaller,
  operation: N,
  input: InputOf<N>,
  context: CallContext,
): Promise<OutputOf<N>[]> {
  const pages: OutputOf<N>[] = [];
  let token: { NextToken?: string } = {};
  for (;;) {
    const page = await calls.call(operation, { ...input, ...token, MaxResults: EC2_PAGE }, context);
    pages.push(page);
    if (page.NextToken === undefined || page.NextToken === '') return pages;
    token = { NextToken: page.NextToken };
  }
}

/** In lists of at most this many. */
export function chunk<T>(list: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let at = 0; at < list.length; at += size) chunks.push(list.slice(at, at + size));
  return chunks;
}
