import type * as Ec2Sdk from '@aws-sdk/client-ec2';
import type * as ElbSdk from '@aws-sdk/client-elastic-load-balancing-v2';
import type { BucketName } from './call-limits.ts';

/** The SDK's clients of one account and region. */
export interface AwsClients {
  elb: ElbSdk.ElasticLoadBalancingV2;
  ec2: Ec2Sdk.EC2;
}

/** Every operation of AWS that is ever called, with what goes in and what comes out. */
export interface AwsOperations {
  DescribeLoadBalancers: Call<
    ElbSdk.DescribeLoadBalancersCommandInput,
    ElbSdk.DescribeLoadBalancersCommandOutput
  >;
  DescribeTargetGroups: Call<
    ElbSdk.DescribeTargetGroupsCommandInput,
    ElbSdk.DescribeTargetGroupsCommandOutput
  >;
  DescribeTags: Call<ElbSdk.DescribeTagsCommandInput, ElbSdk.DescribeTagsCommandOutput>;
  DescribeListeners: Call<ElbSdk.DescribeListenersCommandInput, ElbSdk.DescribeListenersCommandOutput>;
  DescribeListenerCertificates: Call<
    ElbSdk.DescribeListenerCertificatesCommandInput,
    ElbSdk.DescribeListenerCertificatesCommandOutput
  >;
  DescribeListenerAttributes: Call<
    ElbSdk.DescribeListenerAttributesCommandInput,
    ElbSdk.DescribeListenerAttributesCommandOutput
  >;
  DescribeLoadBalancerAttributes: Call<
    ElbSdk.DescribeLoadBalancerAttributesCommandInput,
    ElbSdk.DescribeLoadBalancerAttributesCommandOutput
  >;
  DescribeTargetGroupAttributes: Call<
    ElbSdk.DescribeTargetGroupAttributesCommandInput,
    ElbSdk.DescribeTargetGroupAttributesCommandOutput
  >;
  DescribeTargetHealth: Call<
    ElbSdk.DescribeTargetHealthCommandInput,
    ElbSdk.DescribeTargetHealthCommandOutput
  >;
  RegisterTargets: Call<ElbSdk.RegisterTargetsCommandInput, ElbSdk.RegisterTargetsCommandOutput>;
  DeregisterTargets: Call<ElbSdk.DeregisterTargetsCommandInput, ElbSdk.DeregisterTargetsCommandOutput>;
  CreateLoadBalancer: Call<ElbSdk.CreateLoadBalancerCommandInput, ElbSdk.CreateLoadBalancerCommandOutput>;
  CreateTargetGroup: Call<ElbSdk.CreateTargetGroupCommandInput, ElbSdk.CreateTargetGroupCommandOutput>;
  CreateListener: Call<ElbSdk.CreateListenerCommandInput, ElbSdk.CreateListenerCommandOutput>;
  ModifyLoadBalancerAttributes: Call<
    ElbSdk.ModifyLoadBalancerAttributesCommandInput,
    ElbSdk.ModifyLoadBalancerAttributesCommandOutput
  >;
  ModifyTargetGroup: Call<ElbSdk.ModifyTargetGroupCommandInput, ElbSdk.ModifyTargetGroupCommandOutput>;
  ModifyTargetGroupAttributes: Call<
    ElbSdk.ModifyTargetGroupAttributesCommandInput,
    ElbSdk.ModifyTargetGroupAttributesCommandOutput
  >;
  ModifyListener: Call<ElbSdk.ModifyListenerCommandInput, ElbSdk.ModifyListenerCommandOutput>;
  ModifyListenerAttributes: Call<
    ElbSdk.ModifyListenerAttributesCommandInput,
    ElbSdk.ModifyListenerAttributesCommandOutput
  >;
  AddListenerCertificates: Call<
    ElbSdk.AddListenerCertificatesCommandInput,
    ElbSdk.AddListenerCertificatesCommandOutput
  >;
  RemoveListenerCertificates: Call<
    ElbSdk.RemoveListenerCertificatesCommandInput,
    ElbSdk.RemoveListenerCertificatesCommandOutput
  >;
  SetSubnets: Call<ElbSdk.SetSubnetsCommandInput, ElbSdk.SetSubnetsCommandOutput>;
  SetSecurityGroups: Call<ElbSdk.SetSecurityGroupsCommandInput, ElbSdk.SetSecurityGroupsCommandOutput>;
  SetIpAddressType: Call<ElbSdk.SetIpAddressTypeCommandInput, ElbSdk.SetIpAddressTypeCommandOutput>;
  DeleteListener: Call<ElbSdk.DeleteListenerCommandInput, ElbSdk.DeleteListenerCommandOutput>;
  DeleteLoadBalancer: Call<ElbSdk.DeleteLoadBalancerCommandInput, ElbSdk.DeleteLoadBalancerCommandOutput>;
  DeleteTargetGroup: Call<ElbSdk.DeleteTargetGroupCommandInput, ElbSdk.DeleteTargetGroupCommandOutput>;
  AddTags: Call<ElbSdk.AddTagsCommandInput, ElbSdk.AddTagsCommandOutput>;
  RemoveTags: Call<ElbSdk.RemoveTagsCommandInput, ElbSdk.RemoveTagsCommandOutput>;
  DescribeSubnets: Call<Ec2Sdk.DescribeSubnetsCommandInput, Ec2Sdk.DescribeSubnetsCommandOutput>;
  DescribeSecurityGroups: Call<
    Ec2Sdk.DescribeSecurityGroupsCommandInput,
    Ec2Sdk.DescribeSecurityGroupsCommandOutput
  >;
  DescribeInstances: Call<Ec2Sdk.DescribeInstancesCommandInput, Ec2Sdk.DescribeInstancesCommandOutput>;
  DescribeNetworkInterfaces: Call<
    Ec2Sdk.DescribeNetworkInterfacesCommandInput,
    Ec2Sdk.DescribeNetworkInterfacesCommandOutput
  >;
  CreateSecurityGroup: Call<Ec2Sdk.CreateSecurityGroupCommandInput, Ec2Sdk.CreateSecurityGroupCommandOutput>;
  AuthorizeSecurityGroupIngress: Call<
    Ec2Sdk.AuthorizeSecurityGroupIngressCommandInput,
    Ec2Sdk.AuthorizeSecurityGroupIngressCommandOutput
  >;
  RevokeSecurityGroupIngress: Call<
    Ec2Sdk.RevokeSecurityGroupIngressCommandInput,
    Ec2Sdk.RevokeSecurityGroupIngressCommandOutput
  >;
  DeleteSecurityGroup: Call<Ec2Sdk.DeleteSecurityGroupCommandInput, Ec2Sdk.DeleteSecurityGroupCommandOutput>;
  CreateTags: Call<Ec2Sdk.CreateTagsCommandInput, Ec2Sdk.CreateTagsCommandOutput>;
  DeleteTags: Call<Ec2Sdk.DeleteTagsCommandInput, Ec2Sdk.DeleteTagsCommandOutput>;
}

interface Call<Input, Output> {
  input: Input;
  output: Output;
}

export type OperationName = keyof AwsOperations;
export type InputOf<N extends OperationName> = AwsOperations[N]['input'];
export type OutputOf<N extends OperationName> = AwsOperations[N]['output'];

export interface Operation<Input, Output> {
  /** The service's prefix in IAM policies. */
  service: 'elasticloadbalancing' | 'ec2';
  /** Which of the account's buckets the call takes a token from. */
  bucket: BucketName;
  /** Whether doing it changes something at AWS. */
  writes: boolean;
  send(clients: AwsClients, input: Input, options: { abortSignal: AbortSignal }): Promise<Output>;
}

const elbRead = { service: 'elasticloadbalancing', bucket: 'elbRead', writes: false } as const;
const elbRegister = { service: 'elasticloadbalancing', bucket: 'elbRegister', writes: true } as const;
const elbWrite = { service: 'elasticloadbalancing', bucket: 'elbWrite', writes: true } as const;
const ec2Read = { service: 'ec2', bucket: 'ec2Read', writes: false } as const;
const ec2Write = { service: 'ec2', bucket: 'ec2Write', writes: true } as const;

/** The one list of them: calls go through it, and the IAM policy is made of it. */
export const OPERATIONS: {
  readonly [N in OperationName]: Operation<InputOf<N>, OutputOf<N>>;
} = {
  DescribeLoadBalancers: {
    ...elbRead,
    send: ({ elb }, input, options) => elb.describeLoadBalancers(input, options),
  },
  DescribeTargetGroups: {
    ...elbRead,
    send: ({ elb }, input, options) => elb.describeTargetGroups(input, options),
  },
  DescribeTags: { ...elbRead, send: ({ elb }, input, options) => elb.describeTags(input, options) },
  DescribeListeners: { ...elbRead, send: ({ elb }, input, options) => elb.describeListeners(input, options) },
  DescribeListenerCertificates: {
    ...elbRead,
    send: ({ elb }, input, options) => elb.describeListenerCertificates(input, options),
  },
  DescribeListenerAttributes: {
    ...elbRead,
    send: ({ elb }, input, options) => elb.describeListenerAttributes(input, options),
  },
  DescribeLoadBalancerAttributes: {
    ...elbRead,
    send: ({ elb }, input, options) => elb.describeLoadBalancerAttributes(input, options),
  },
  DescribeTargetGroupAttributes: {
    ...elbRead,
    send: ({ elb }, input, options) => elb.describeTargetGroupAttributes(input, options),
  },
  DescribeTargetHealth: {
    ...elbRead,
    send: ({ elb }, input, options) => elb.describeTargetHealth(input, options),
  },
  RegisterTargets: { ...elbRegister, send: ({ elb }, input, options) => elb.registerTargets(input, options) },
  DeregisterTargets: {
    ...elbRegister,
    send: ({ elb }, input, options) => elb.deregisterTargets(input, options),
  },
  CreateLoadBalancer: {
    ...elbWrite,
    send: ({ elb }, input, options) => elb.createLoadBalancer(input, options),
  },
  CreateTargetGroup: {
    ...elbWrite,
    send: ({ elb }, input, options) => elb.createTargetGroup(input, options),
  },
  CreateListener: { ...elbWrite, send: ({ elb }, input, options) => elb.createListener(input, options) },
  ModifyLoadBalancerAttributes: {
    ...elbWrite,
    send: ({ elb }, input, options) => elb.modifyLoadBalancerAttributes(input, options),
  },
  ModifyTargetGroup: {
    ...elbWrite,
    send: ({ elb }, input, options) => elb.modifyTargetGroup(input, options),
  },
  ModifyTargetGroupAttributes: {
    ...elbWrite,
    send: ({ elb }, input, options) => elb.modifyTargetGroupAttributes(input, options),
  },
  ModifyListener: { ...elbWrite, send: ({ elb }, input, options) => elb.modifyListener(input, options) },
  ModifyListenerAttributes: {
    ...elbWrite,
    send: ({ elb }, input, options) => elb.modifyListenerAttributes(input, options),
  },
  AddListenerCertificates: {
    ...elbWrite,
    send: ({ elb }, input, options) => elb.addListenerCertificates(input, options),
  },
  RemoveListenerCertificates: {
    ...elbWrite,
    send: ({ elb }, input, options) => elb.removeListenerCertificates(input, options),
  },
  SetSubnets: { ...elbWrite, send: ({ elb }, input, options) => elb.setSubnets(input, options) },
  SetSecurityGroups: {
    ...elbWrite,
    send: ({ elb }, input, options) => elb.setSecurityGroups(input, options),
  },
  SetIpAddressType: { ...elbWrite, send: ({ elb }, input, options) => elb.setIpAddressType(input, options) },
  DeleteListener: { ...elbWrite, send: ({ elb }, input, options) => elb.deleteListener(input, options) },
  DeleteLoadBalancer: {
    ...elbWrite,
    send: ({ elb }, input, options) => elb.deleteLoadBalancer(input, options),
  },
  DeleteTargetGroup: {
    ...elbWrite,
    send: ({ elb }, input, options) => elb.deleteTargetGroup(input, options),
  },
  AddTags: { ...elbWrite, send: ({ elb }, input, options) => elb.addTags(input, options) },
  RemoveTags: { ...elbWrite, send: ({ elb }, input, options) => elb.removeTags(input, options) },
  DescribeSubnets: { ...ec2Read, send: ({ ec2 }, input, options) => ec2.describeSubnets(input, options) },
  DescribeSecurityGroups: {
    ...ec2Read,
    send: ({ ec2 }, input, options) => ec2.describeSecurityGroups(input, options),
  },
  DescribeInstances: { ...ec2Read, send: ({ ec2 }, input, options) => ec2.describeInstances(input, options) },
  DescribeNetworkInterfaces: {
    ...ec2Read,
    send: ({ ec2 }, input, options) => ec2.describeNetworkInterfaces(input, options),
  },
  CreateSecurityGroup: {
    ...ec2Write,
    send: ({ ec2 }, input, options) => ec2.createSecurityGroup(input, options),
  },
  AuthorizeSecurityGroupIngress: {
    ...ec2Write,
    send: ({ ec2 }, input, options) => ec2.authorizeSecurityGroupIngress(input, options),
  },
  RevokeSecurityGroupIngress: {
    ...ec2Write,
    send: ({ ec2 }, input, options) => ec2.revokeSecurityGroupIngress(input, options),
  },
  DeleteSecurityGroup: {
    ...ec2Write,
    send: ({ ec2 }, input, options) => ec2.deleteSecurityGroup(input, options),
  },
  CreateTags: { ...ec2Write, send: ({ ec2 }, input, options) => ec2.createTags(input, options) },
  DeleteTags: { ...ec2Write, send: ({ ec2 }, input, options) => ec2.deleteTags(input, options) },
};
