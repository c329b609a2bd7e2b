import { expect } from 'chai';
import { classifyAwsError } from '../../../../providers/aws/calls/classify-aws-error.ts';
import type { OperationName } from '../../../../providers/aws/calls/operations.ts';

/** As the SDK throws it. */
function sdkError(name: string, message: string, httpStatusCode = 400): Error {
  return Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode } });
}

function classify(
  name: string,
  message: string,
  status?: number,
  operation: OperationName = 'CreateLoadBalancer',
) {
  return classifyAwsError(sdkError(name, message, status), operation);
}

describe('providers/aws/classify-aws-error', () => {
  it('knows each name of throttling', () => {
    for (const name of [
      'Throttling',
      'ThrottlingException',
      'RequestLimitExceeded',
      'TooManyRequestsException',
    ]) {
      const { error, retry } = classify(name, 'Rate exceeded');
      expect([error.class, retry], name).to.deep.equal(['Throttled', 'throttled']);
    }
  });

  it('tries again what AWS failed at, and what got no answer', () => {
    expect(classify('InternalFailure', 'oops', 500)).to.deep.include({ retry: 'passing' });
    expect(classify('SomethingNew', 'oops', 503).error.class).to.equal('Transient');
    const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    const { error, retry } = classifyAwsError(reset, 'CreateLoadBalancer');
    expect([error.class, error.reason, retry]).to.deep.equal(['Transient', 'ConnectionLost', 'passing']);
  });

  it('names the action that the policy lacks, which may be another than the one called', () => {
    const message =
      'User: arn:aws:iam::1:user/x is not authorized to perform: elasticloadbalancing:AddTags on resource: arn:aws:y';
    expect(classify('AccessDenied', message).error.message).to.match(
      /^elasticloadbalancing:AddTags is missing from the IAM policy/,
    );
    const { error } = classify(
      'UnauthorizedOperation',
      'You are not authorized to perform this operation.',
      403,
      'DescribeSubnets',
    );
    expect(error.message).to.match(/^ec2:DescribeSubnets is missing from the IAM policy/);
  });

  it('tells of a subnet that is full, how much it lacks', () => {
    const message =
      'Not enough IP space available in subnet-0a1b. ELB requires at least 8 free IP addresses in each subnet.';
    const { error } = classify('InvalidSubnetException', message);
    expect(error.message).to.match(/^Subnet subnet-0a1b has too few free addresses, 8 are needed/);
    expect(error.reason).to.equal('InvalidSubnet');
  });

  it('comes back later for what a person mends at AWS, which Kubernetes hears nothing of', () => {
    for (const name of [
      'TooManyLoadBalancersException',
      'AccessDenied',
      'InvalidClientTokenId',
      'SubnetNotFoundException',
    ]) {
      const { error, retry } = classify(name, 'no');
      expect([error.class, error.retryAfterSeconds, retry], name).to.deep.equal(['Transient', 60, 'no']);
    }
  });

  it('waits for a change where the request itself is wrong', () => {
    const { error, retry } = classify('ValidationError', "'x' is not a valid port");
    expect([error.class, retry]).to.deep.equal(['Rejected', 'no']);
    expect(error.message).to.contain("'x' is not a valid port");
  });

  it('tells what is still used in words, to be tried again soon', () => {
    const { error } = classify(
      'ResourceInUseException',
      'Target group x is in use',
      400,
      'DeleteTargetGroup',
    );
    expect(error).to.include({ class: 'Transient', reason: 'ResourceInUse', retryAfterSeconds: 5 });
    expect(error.message).to.contain('ends once a load balancer is gone');
  });

  it('holds what is missing for gone, and what is there already for a conflict', () => {
    expect(classify('LoadBalancerNotFoundException', 'no').error.class).to.equal('NotFound');
    expect(classify('InvalidGroup.NotFound', 'no').retry).to.equal('missing');
    expect(classify('SomethingElseNotFound', 'no').error.class).to.equal('NotFound');
    expect(classify('DuplicateListenerException', 'no').error.class).to.equal('Conflict');
  });

  it('knows credentials that are missing', () => {
    const failure = Object.assign(new Error('Could not load credentials'), {
      name: 'CredentialsProviderError',
    });
    const { error, retry } = classifyAwsError(failure, 'DescribeTags');
    expect([error.class, error.reason, retry]).to.deep.equal(['Transient', 'NoCredentials', 'no']);
  });
});
