import { createHash } from 'node:crypto';
import type { AwsConfig } from '../../../crds/aws-provider.ts';
import { ClassedError } from '../../../kube/errors.ts';
import type { ProviderScope } from '../../provider.ts';
import { RecentSecrets } from '../../recent-secrets.ts';
import { Inventory } from '../observe/inventory.ts';
import { DEFAULT_TIMEOUT_SECONDS, makeAwsClients, type SecretData } from './aws-clients.ts';
import { type AwsCallReport, AwsCalls } from './call-aws.ts';
import { type BucketFigures, type BucketName, CALL_LIMITS } from './call-limits.ts';
import { FairBucket } from './fair-bucket.ts';

export interface ScopesOptions {
  /** Of Fairlead's namespace, decoded. */
  readSecret(name: string, signal: AbortSignal): Promise<Record<string, string>>;
  observeCall?: ((report: AwsCallReport) => void) | undefined;
  /** What the account may do, where AWS gives it more or less than usual. */
  limits?: Readonly<Record<BucketName, BucketFigures>> | undefined;
  /** When what takes its time at AWS is looked at first; each later look doubles the pause. @default 5 */
  firstLookSeconds?: number | undefined;
}

/** One account and region, as one set of credentials sees it: what is known there, and the way to it. */
export interface Scope {
  /** What a cluster has there. */
  inventoryOf(clusterId: string): Inventory;
}

/** A configuration that no provider has any more is kept for as long as a turn that began with it may take. */
const FORMER_MS = 10 * 60_000;

/** A scope by its configuration. */
interface Entry {
  /** Of the Secret. */
  digest: string;
  scope: Promise<Scope>;
  askedAt: number;
  /** Of the buckets that it takes from. */
  buckets(): string;
}

/**
 * Scopes by configuration: providers that say the same share one, and its memory. One whose configuration or Secret changed
 * is another, which knows nothing; the former goes once nobody asks for it.
 */
export class Scopes {
  readonly #options: ScopesOptions;
  readonly #now: () => number;
  readonly #scopes = new Map<string, Entry>();
  /** What each provider said last, by its name. */
  readonly #latest = new Map<string, string>();
  readonly #secrets: RecentSecrets;
  readonly #buckets = new Map<string, Record<BucketName, FairBucket>>();

  /** `now` in milliseconds, monotonic. */
  constructor(options: ScopesOptions, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#now = now;
    this.#secrets = new RecentSecrets((name, signal) => options.readSecret(name, signal), now);
  }

  /** How many are held. */
  get counts(): { scopes: number; buckets: number } {
    return { scopes: this.#scopes.size, buckets: this.#buckets.size };
  }

  async of({ name, spec }: ProviderScope, signal: AbortSignal): Promise<Scope> {
    const { aws } = spec;
    if (aws === undefined) {
      const message = `LoadBalancerProvider "${name}" has no aws.`;
      throw new ClassedError(message, { class: 'Rejected', reason: 'WrongProviderType' });
    }
    const secretName = aws.credentials?.secretName;
    const secret = secretName === undefined ? undefined : await this.#secrets.read(secretName, signal);
    const key = JSON.stringify(placeOf(aws));
    const digest = createHash('sha256')
      .update(JSON.stringify(secret ?? {}))
      .digest('hex');
    this.#latest.set(name, key);
    const known = this.#scopes.get(key);
    if (known?.digest === digest) {
      known.askedAt = this.#now();
      this.#dropFormer();
      return known.scope;
    }
    const entry = this.#make(aws, secret, `${key} ${digest}`, digest);
    this.#scopes.set(key, entry);
    entry.scope.catch(() => {
      if (this.#scopes.get(key) === entry) this.#scopes.delete(key);
    });
    this.#dropFormer();
    return entry.scope;
  }

  /** Scopes that no provider asks for any more, and buckets that none of the others takes from. */
  #dropFormer(): void {
    const wanted = new Set(this.#latest.values());
    const before = this.#now() - FORMER_MS;
    for (const [key, { askedAt }] of this.#scopes) {
      if (!wanted.has(key) && askedAt < before) this.#scopes.delete(key);
    }
    const used = new Set([...this.#scopes.values()].map((each) => each.buckets()));
    for (const key of this.#buckets.keys()) if (!used.has(key)) this.#buckets.delete(key);
  }

  #make(config: AwsConfig, secret: SecretData, unnamed: string, digest: string): Entry {
    const { callRatePercent = 100, endpoint = '', endpoints = {}, region } = config;
    const { elbv2 = endpoint, ec2 = endpoint } = endpoints;
    const place: Place = {
      text: `${region} ${elbv2} ${ec2} ${callRatePercent}`,
      rate: callRatePercent / 100,
    };
    const account: Account = { id: accountOf(config.credentials?.assumeRole?.arn) };
    return {
      digest,
      scope: this.#connect(config, secret, { account, place, unnamed }),
      askedAt: this.#now(),
      buckets: () => `${account.id ?? unnamed} ${place.text}`,
    };
  }

  async #connect(
    config: AwsConfig,
    secret: SecretData,
    { account, place, unnamed }: { account: Account; place: Place; unnamed: string },
  ): Promise<Scope> {
    const clients = await makeAwsClients(config, secret);
    const { region, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS } = config;
    const { firstLookSeconds } = this.#options;
    const inventories = new Map<string, Inventory>();
    const onArn = (arn: string) => {
      account.id ??= accountOf(arn);
    };
    const calls = new AwsCalls({
      clients,
      region,
      timeoutMs: timeoutSeconds * 1000,
      account: () => account.id ?? '',
      // Until the account is known, each set of credentials counts for one of its own.
      buckets: () => this.#bucketsOf(account.id, unnamed, place),
      onArn,
      observe: this.#options.observeCall,
    });
    return {
      inventoryOf: (clusterId) => {
        const known =
          inventories.get(clusterId) ??
          new Inventory({ calls, clusterId, vpcId: config.vpcID, onArn, firstLookSeconds });
        inventories.set(clusterId, known);
        return known;
      },
    };
  }

  #bucketsOf(
    account: string | undefined,
    unnamed: string,
    { rate, text }: Place,
  ): Record<BucketName, FairBucket> {
    const key = `${account ?? unnamed} ${text}`;
    // What was taken before the account was known was taken from its buckets.
    const before = this.#buckets.get(`${unnamed} ${text}`);
    const known = this.#buckets.get(key) ?? before ?? makeBuckets(this.#options.limits ?? CALL_LIMITS, rate);
    this.#buckets.set(key, known);
    if (account !== undefined) this.#buckets.delete(`${unnamed} ${text}`);
    return known;
  }
}

/** Known once some ARN was seen. */
interface Account {
  id: string | undefined;
}

/** What has buckets of its own in an account; `rate` is the share of AWS' default rates. */
interface Place {
  text: string;
  rate: number;
}

/** What makes two configurations go to different places, or as somebody else. */
function placeOf(config: AwsConfig) {
  const { region, vpcID, endpoint, endpoints, credentials, timeoutSeconds, callRatePercent } = config;
  const { secretName, assumeRole } = credentials ?? {};
  return [
    region,
    vpcID,
    endpoint,
    endpoints?.elbv2,
    endpoints?.ec2,
    endpoints?.sts,
    secretName,
    assumeRole?.arn,
    assumeRole?.externalID,
    assumeRole?.sessionName,
    timeoutSeconds,
    callRatePercent,
  ];
}

/** `arn:aws:<service>:<region>:<account>:...` */
function accountOf(arn: string | undefined): string | undefined {
  const account = arn?.split(':')[4];
  return account === '' ? undefined : account;
}

function makeBuckets(
  limits: Readonly<Record<BucketName, BucketFigures>>,
  rate: number,
): Record<BucketName, FairBucket> {
  const make = ({ burst, perSecond }: BucketFigures) =>
    new FairBucket({ burst: Math.max(1, burst * rate), perSecond: perSecond * rate });
  return {
    elbRead: make(limits.elbRead),
    elbRegister: make(limits.elbRegister),
    elbWrite: make(limits.elbWrite),
    ec2Read: make(limits.ec2Read),
    ec2Write: make(limits.ec2Write),
  };
}
