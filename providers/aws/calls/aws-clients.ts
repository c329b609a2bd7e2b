import type { ElasticLoadBalancingV2ClientConfig } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { AwsConfig } from '../../../crds/aws-provider.ts';
import { ClassedError } from '../../../kube/errors.ts';
import type { AwsClients } from './operations.ts';

/** What the SDK takes for credentials: themselves, or a function that gets them. */
type Credentials = NonNullable<ElasticLoadBalancingV2ClientConfig['credentials']>;

const CONNECT_MS = 5000;
export const DEFAULT_TIMEOUT_SECONDS = 10;

/** Content of the Secret that the provider names; undefined: it names none. */
export type SecretData = Readonly<Record<string, string>> | undefined;

/**
 * The SDK's clients for one configuration. The SDK is loaded with the first of them: it costs everybody a second and tens of
 * MiB. Its own retries are off, since `AwsCalls` tries again. Throws a ClassedError for a Secret that lacks a key.
 */
export async function makeAwsClients(config: AwsConfig, secret: SecretData): Promise<AwsClients> {
  const [{ ElasticLoadBalancingV2 }, { EC2 }] = await Promise.all([
    import('@aws-sdk/client-elastic-load-balancing-v2'),
    import('@aws-sdk/client-ec2'),
  ]);
  const common = {
    region: config.region,
    maxAttempts: 1,
    requestHandler: requestHandlerOf(config),
    credentials: await credentialsOf(config, secret),
    customUserAgent: 'fairlead',
  };
  return {
    elb: new ElasticLoadBalancingV2({ ...common, ...atEndpoint(config, 'elbv2') }),
    ec2: new EC2({ ...common, ...atEndpoint(config, 'ec2') }),
  };
}

/** Empty: at AWS, as the SDK has it. */
function atEndpoint(
  { endpoint, endpoints }: AwsConfig,
  service: keyof NonNullable<AwsConfig['endpoints']>,
): { endpoint?: string } {
  const found = endpoints?.[service] ?? endpoint;
  return found === undefined ? {} : { endpoint: found };
}

/** Without `throwOnRequestTimeout` the SDK only writes a warning. */
function requestHandlerOf({ timeoutSeconds = DEFAULT_TIMEOUT_SECONDS }: AwsConfig) {
  const requestTimeout = timeoutSeconds * 1000;
  return {
    connectionTimeout: Math.min(CONNECT_MS, requestTimeout),
    requestTimeout,
    throwOnRequestTimeout: true,
    httpsAgent: { keepAlive: true, maxSockets: 100 },
    httpAgent: { keepAlive: true, maxSockets: 100 },
  };
}

async function credentialsOf(config: AwsConfig, secret: SecretData): Promise<Credentials> {
  const { fromNodeProviderChain, fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
  const { credentials, endpoints, region } = config;
  const clientConfig = {
    region,
    maxAttempts: 2,
    requestHandler: requestHandlerOf(config),
    ...atEndpoint(config, 'sts'),
  };
  // A web identity comes from STS, too; others of the chain come from elsewhere, and not from an endpoint for all.
  const ofChain = { region, ...(endpoints?.sts === undefined ? {} : { endpoint: endpoints.sts }) };
  const own = secret === undefined ? undefined : readSecretKeys(secret, credentials?.secretName ?? '');
  const first = own === undefined ? fromNodeProviderChain({ clientConfig: ofChain }) : own;
  const role = credentials?.assumeRole;
  if (role === undefined) return first;
  return fromTemporaryCredentials({
    masterCredentials: first,
    clientConfig,
    params: {
      RoleArn: role.arn,
      RoleSessionName: role.sessionName ?? 'fairlead',
      ...(role.externalID === undefined ? {} : { ExternalId: role.externalID }),
    },
  });
}

function readSecretKeys(secret: Readonly<Record<string, string>>, name: string): Credentials {
  const read = (key: string) => {
    const value = secret[key]?.trim();
    return value === '' ? undefined : value;
  };
  const accessKeyId = read('aws_access_key_id');
  const secretAccessKey = read('aws_secret_access_key');
  const sessionToken = read('aws_session_token');
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const key = accessKeyId === undefined ? 'aws_access_key_id' : 'aws_secret_access_key';
    throw new ClassedError(`Secret "${name}" has no key ${key}.`, {
      class: 'Transient',
      reason: 'SecretIncomplete',
      retryAfterSeconds: 30,
    });
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
