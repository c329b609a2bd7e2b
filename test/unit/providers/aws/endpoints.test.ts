import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import type { AwsConfig } from '../../../../crds/aws-provider.ts';
import { makeAwsClients } from '../../../../providers/aws/calls/aws-clients.ts';

const CREDENTIALS = `<Credentials><AccessKeyId>AKIATEMPORARY</AccessKeyId><SecretAccessKey>x</SecretAccessKey>
  <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>`;
const SECRET = { aws_access_key_id: 'AKIA', aws_secret_access_key: 'x' };
const ROLE = { arn: 'arn:aws:iam::123456789012:role/fairlead' };

/** One private endpoint: answers everything, and notes what it was asked. */
class Endpoint {
  readonly asked: string[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const action = new URLSearchParams(await text(request)).get('Action') ?? '';
      this.asked.push(action);
      const result = action.startsWith('Assume') ? CREDENTIALS : '';
      response.setHeader('content-type', 'text/xml');
      response.end(`<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`);
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe('providers/aws: endpoints', () => {
  let [all, elbv2, ec2, sts] = [new Endpoint(), new Endpoint(), new Endpoint(), new Endpoint()];
  beforeEach(async () => {
    [all, elbv2, ec2, sts] = [new Endpoint(), new Endpoint(), new Endpoint(), new Endpoint()];
    for (const each of [all, elbv2, ec2, sts]) await each.start();
  });
  afterEach(() => {
    for (const each of [all, elbv2, ec2, sts]) each.stop();
  });

  /** One call of each service, and which endpoint got what. */
  async function callAll(config: Partial<AwsConfig>, secret?: Record<string, string>) {
    const clients = await makeAwsClients({ region: 'eu-central-1', ...config }, secret);
    await clients.elb.describeLoadBalancers({});
    await clients.ec2.describeSubnets({});
    clients.elb.destroy();
    clients.ec2.destroy();
    const [ofAll, ofElb, ofEc2, ofSts] = [all, elbv2, ec2, sts].map(({ asked }) =>
      [...new Set(asked)].sort(),
    );
    return { all: ofAll, elbv2: ofElb, ec2: ofEc2, sts: ofSts };
  }

  it('are one for each service, where each has its own', async () => {
    const endpoints = { elbv2: elbv2.url, ec2: ec2.url, sts: sts.url };
    expect(await callAll({ endpoints, credentials: { assumeRole: ROLE } }, SECRET)).to.deep.equal({
      all: [],
      elbv2: ['DescribeLoadBalancers'],
      ec2: ['DescribeSubnets'],
      sts: ['AssumeRole'],
    });
  });

  it('go before the one for all, which serves the others', async () => {
    const config = { endpoint: all.url, endpoints: { ec2: ec2.url }, credentials: { assumeRole: ROLE } };
    expect(await callAll(config, SECRET)).to.deep.equal({
      all: ['AssumeRole', 'DescribeLoadBalancers'],
      elbv2: [],
      ec2: ['DescribeSubnets'],
      sts: [],
    });
  });

  it('of STS are asked for a web identity as well', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
    const token = join(folder, 'token');
    writeFileSync(token, 'a.b.c');
    const none = join(folder, 'none');
    const restore = setEnvironment({
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_ROLE_ARN: ROLE.arn,
      // What the default chain would find before, of whoever runs the tests.
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_PROFILE: undefined,
      AWS_CONFIG_FILE: none,
      AWS_SHARED_CREDENTIALS_FILE: none,
    });
    try {
      const endpoints = { elbv2: elbv2.url, ec2: ec2.url, sts: sts.url };
      expect(await callAll({ endpoints })).to.deep.include({ sts: ['AssumeRoleWithWebIdentity'] });
    } finally {
      restore();
      rmSync(folder, { recursive: true });
    }
  });
});

/** Answers what puts it back; undefined: it has no such variable. */
function setEnvironment(variables: Record<string, string | undefined>): () => void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const [name, value] of Object.entries(variables)) set(name, value);
  return () => {
    for (const [name, value] of before) set(name, value);
  };
}
