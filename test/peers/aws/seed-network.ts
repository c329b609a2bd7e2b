import type { AwsPeer } from './aws-peer.ts';
import { list, object, objects, type PlainObject, text } from './plain.ts';
import { unsignedAuthorization } from './service.ts';

export interface NetworkOptions {
  /** Name in the tag `kubernetes.io/cluster/<name>`. @default demo */
  cluster?: string;
  /** @default 2 */
  zones?: 1 | 2 | 3;
  /** Spread over the zones. @default 2 */
  instances?: number;
  /** Of both families. @default false */
  ipv6?: boolean;
}

export interface SeededSubnet {
  id: string;
  zone: string;
  cidr: string;
}

export interface SeededInstance {
  id: string;
  zone: string;
  /** Its first private one. */
  address: string;
  /** What the Node's `spec.providerID` says. */
  providerID: string;
}

export interface SeededNetwork {
  cluster: string;
  vpcId: string;
  /** Tagged `kubernetes.io/role/elb`, one a zone. */
  publicSubnets: SeededSubnet[];
  /** Tagged `kubernetes.io/role/internal-elb`, one a zone; the instances are here. */
  internalSubnets: SeededSubnet[];
  /** Of the instances, tagged as the cluster's own. */
  securityGroupId: string;
  instances: SeededInstance[];
}

/** One that moto brings. */
const IMAGE = 'ami-12c6146b';
/** Unique for each VPC of a peer, so that several may be peered. */
let vpcs = 0;

/** What a cluster finds in its AWS account: VPC, subnets, its nodes with their security group. */
export async function seedNetwork(peer: AwsPeer, options: NetworkOptions = {}): Promise<SeededNetwork> {
  const { cluster = 'demo', zones = 2, instances = 2, ipv6 = false } = options;
  vpcs++;
  const prefix = `10.${vpcs % 256}`;
  const vpc = object(
    (
      await peer.ec2('CreateVpc', {
        CidrBlock: `${prefix}.0.0/16`,
        AmazonProvidedIpv6CidrBlock: String(ipv6),
      })
    ).vpc,
  );
  const vpcId = text(vpc.vpcId);
  const ipv6Range = ipv6 ? await ipv6RangeOf(peer, vpcId) : undefined;
  const subnets = async (role: string, offset: number) => {
    const made: SeededSubnet[] = [];
    for (const [index, letter] of ['a', 'b', 'c'].slice(0, zones).entries()) {
      const block = offset + index;
      made.push(
        await createSubnet(peer, {
          VpcId: vpcId,
          // A /20 each: room for 4,091 load balancers.
          CidrBlock: `${prefix}.${block * 16}.0/20`,
          ...(ipv6Range !== undefined && {
            Ipv6CidrBlock: ipv6Range.replace('00::/56', `0${block.toString(16)}::/64`),
          }),
          AvailabilityZone: `${peer.region}${letter}`,
          TagSpecification: [
            tagged('subnet', {
              Name: `${cluster}-${role}-${letter}`,
              [`kubernetes.io/role/${role}`]: '1',
              [`kubernetes.io/cluster/${cluster}`]: 'shared',
            }),
          ],
        }),
      );
    }
    return made;
  };
  const publicSubnets = await subnets('elb', 0);
  const internalSubnets = await subnets('internal-elb', 8);
  const group = await peer.ec2('CreateSecurityGroup', {
    GroupName: `${cluster}-nodes`,
    GroupDescription: 'nodes',
    VpcId: vpcId,
    TagSpecification: [tagged('security-group', { [`kubernetes.io/cluster/${cluster}`]: 'owned' })],
  });
  const securityGroupId = text(group.groupId);
  const network = { cluster, vpcId, publicSubnets, internalSubnets, securityGroupId, instances: [] };
  return { ...network, instances: await addInstances(peer, network, instances) };
}

/** More nodes, spread over the internal subnets. */
export async function addInstances(
  peer: AwsPeer,
  network: Pick<SeededNetwork, 'cluster' | 'internalSubnets' | 'securityGroupId'>,
  count: number,
): Promise<SeededInstance[]> {
  const { cluster, internalSubnets, securityGroupId } = network;
  const made: SeededInstance[] = [];
  for (let index = 0; index < count; index++) {
    const subnet = internalSubnets[index % internalSubnets.length];
    const answer = await peer.ec2('RunInstances', {
      ImageId: IMAGE,
      InstanceType: 'm5.large',
      MinCount: '1',
      MaxCount: '1',
      SubnetId: subnet?.id ?? '',
      SecurityGroupId: [securityGroupId],
      TagSpecification: [tagged('instance', { [`kubernetes.io/cluster/${cluster}`]: 'owned' })],
    });
    const [instance = {}] = objects(answer.instancesSet);
    const id = text(instance.instanceId);
    const zone = text(object(instance.placement).availabilityZone);
    made.push({ id, zone, address: text(instance.privateIpAddress), providerID: `aws:///${zone}/${id}` });
  }
  return made;
}

/** An elastic IP that nothing uses. */
export async function allocateAddress(peer: AwsPeer): Promise<{ allocationId: string; address: string }> {
  const answer = await peer.ec2('AllocateAddress', { Domain: 'vpc' });
  return { allocationId: text(answer.allocationId), address: text(answer.publicIp) };
}

/** The ARN of a certificate that ACM has. */
export async function requestCertificate(peer: AwsPeer, domain: string): Promise<string> {
  const { credentials, region, direct } = peer;
  const answer = await fetch(direct, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'CertificateManager.RequestCertificate',
      authorization: unsignedAuthorization({ accessKey: credentials.accessKeyId, region, service: 'acm' }),
    },
    body: JSON.stringify({ DomainName: domain }),
  });
  const body: unknown = await answer.json();
  if (typeof body === 'object' && body !== null && 'CertificateArn' in body)
    return String(body.CertificateArn);
  throw new Error(`no certificate: ${JSON.stringify(body)}`);
}

async function createSubnet(peer: AwsPeer, parameters: PlainObject): Promise<SeededSubnet> {
  const subnet = object((await peer.ec2('CreateSubnet', parameters)).subnet);
  return { id: text(subnet.subnetId), zone: text(subnet.availabilityZone), cidr: text(subnet.cidrBlock) };
}

async function ipv6RangeOf(peer: AwsPeer, vpcId: string): Promise<string> {
  const answer = await peer.ec2('DescribeVpcs', { VpcId: [vpcId] });
  const [vpc = {}] = objects(answer.vpcSet);
  const [association] = list(vpc.ipv6CidrBlockAssociationSet);
  return text(object(association).ipv6CidrBlock);
}

function tagged(type: string, tags: Readonly<Record<string, string>>): PlainObject {
  return { ResourceType: type, Tag: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
}
