import { EC2Client } from '@aws-sdk/client-ec2';
import {
  CreateLoadBalancerCommand,
  type CreateLoadBalancerCommandInput,
  CreateTargetGroupCommand,
  type CreateTargetGroupCommandInput,
  ElasticLoadBalancingV2Client,
  type LoadBalancer,
  type TargetGroup,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect } from 'chai';
import type { AwsPeer } from '../../peers/aws/aws-peer.ts';
import type { SeededNetwork } from '../../peers/aws/seed-network.ts';

export interface Clients {
  elb: ElasticLoadBalancingV2Client;
  ec2: EC2Client;
}

/** AWS' own client, which tries nothing again by itself. */
export function clientsOf(peer: AwsPeer, endpoint = peer.endpoint): Clients {
  const { region, credentials } = peer;
  const options = { region, credentials, endpoint, maxAttempts: 1 };
  return { elb: new ElasticLoadBalancingV2Client(options), ec2: new EC2Client(options) };
}

let names = 0;

/** Of something that no other test makes. */
export function freshName(prefix = 'fresh'): string {
  names++;
  return `${prefix}-${names}`;
}

export async function createLoadBalancer(
  { elb }: Clients,
  network: SeededNetwork,
  input: Partial<CreateLoadBalancerCommandInput> = {},
): Promise<LoadBalancer & { LoadBalancerArn: string }> {
  const answer = await elb.send(
    new CreateLoadBalancerCommand({
      Name: freshName('nlb'),
      Type: 'network',
      ...(input.SubnetMappings === undefined && { Subnets: network.publicSubnets.map(({ id }) => id) }),
      ...input,
    }),
  );
  const [made] = answer.LoadBalancers ?? [];
  const { LoadBalancerArn } = made ?? {};
  if (made === undefined || LoadBalancerArn === undefined) throw new Error('no load balancer in the answer');
  return { ...made, LoadBalancerArn };
}

export async function createTargetGroup(
  { elb }: Clients,
  network: SeededNetwork,
  input: Partial<CreateTargetGroupCommandInput> = {},
): Promise<TargetGroup & { TargetGroupArn: string }> {
  const answer = await elb.send(
    new CreateTargetGroupCommand({
      Name: freshName('group'),
      Protocol: 'TCP',
      Port: 30_080,
      VpcId: network.vpcId,
      TargetType: 'instance',
      ...input,
    }),
  );
  const [made] = answer.TargetGroups ?? [];
  const { TargetGroupArn } = made ?? {};
  if (made === undefined || TargetGroupArn === undefined) throw new Error('no target group in the answer');
  return { ...made, TargetGroupArn };
}

/** The error that AWS answers with; fails when it does what it was asked. */
export async function refused(
  asked: Promise<unknown>,
): Promise<{ code: string; message: string; status: number }> {
  try {
    await asked;
  } catch (error) {
    if (error instanceof Error && '$metadata' in error) {
      const { httpStatusCode } = error.$metadata as { httpStatusCode?: number };
      return { code: codeOf(error), message: error.message, status: httpStatusCode ?? 0 };
    }
    throw error;
  }
  return expect.fail('AWS did it');
}

/** The code as it came over the wire; the SDK adds `Exception` to most names. */
function codeOf(error: Error): string {
  if ('Code' in error && typeof error.Code === 'string') return error.Code;
  if ('Error' in error && typeof error.Error === 'object' && error.Error !== null && 'Code' in error.Error) {
    return String(error.Error.Code);
  }
  return error.name;
}
