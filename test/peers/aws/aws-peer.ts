import { Agent } from 'node:http';
import { CallLog } from './call-log.ts';
import { type FaultRule, FaultRules, type InjectedFault } from './fault-rules.ts';
import { type CallHook, Front } from './front.ts';
import type { MendContext } from './mend.ts';
import { ALL_MENDS } from './mends/all-mends.ts';
import { NetworkArns } from './mends/network-arns.ts';
import { MotoClient } from './moto-client.ts';
import { Pipeline, type PipelineCall } from './pipeline.ts';
import { object, type PlainObject } from './plain.ts';
import { ADMINISTRATOR, type Policy } from './rights/evaluate-policy.ts';
import { readTagsOf } from './rights/read-tags.ts';
import { type GrantHook, Rights } from './rights/rights.ts';
import { seededRandom } from './seeded-random.ts';
import { type CredentialScope, EC2, ELB, type QueryService } from './service.ts';
import { type AwsQuotas, type AwsTimes, QUICK, type TargetHealth } from './settings.ts';
import { TokenBuckets } from './token-buckets.ts';
import { View } from './view.ts';
import { parseXml } from './xml.ts';

export interface AwsPeerOptions {
  /** @default eu-central-1 */
  region?: string;
  /** Of shares of calls. @default 1 */
  seed?: number;
  times?: Partial<AwsTimes>;
  quotas?: Partial<AwsQuotas>;
  /** Where both endpoints listen. @default 127.0.0.1 */
  address?: string;
  /** What callers may do. @default everything */
  policy?: Policy;
  /** Told what `policy` allowed. */
  granted?: GrantHook;
}

/** A stand-in for AWS: moto's server, mended, behind a proxy that counts, slows, fails and cuts calls. */
export class AwsPeer {
  readonly region: string;
  /** Any do; nothing checks signatures. */
  readonly credentials = { accessKeyId: 'fairlead', secretAccessKey: 'not-a-secret' } as const;
  readonly calls = new CallLog();
  /** Off until a test enables them. */
  readonly buckets = new TokenBuckets();
  /** Of callers at `endpoint`. */
  readonly rights: Rights;
  readonly times: AwsTimes;
  readonly quotas: AwsQuotas;
  readonly #faults: FaultRules;
  readonly #before = new Set<CallHook>();
  readonly #after = new Set<CallHook>();
  readonly #health = new Map<string, TargetHealth>();
  readonly #views = new Map<string, View>();
  readonly #agent = new Agent({ keepAlive: true });
  readonly #moto: MotoClient;
  readonly #pipeline: Pipeline;
  readonly #end: () => Promise<void>;
  #endpoint: Front | undefined;
  #direct: Front | undefined;

  /** `end` runs once nothing listens any more. See `startAws`. */
  constructor(motoPort: number, options: AwsPeerOptions, end: () => Promise<void>) {
    this.#end = end;
    this.region = options.region ?? 'eu-central-1';
    this.rights = new Rights(options.policy ?? ADMINISTRATOR, options.granted);
    this.times = { ...QUICK, ...options.times };
    this.quotas = {
      loadBalancers: Number.POSITIVE_INFINITY,
      targetGroups: Number.POSITIVE_INFINITY,
      ...options.quotas,
    };
    this.#faults = new FaultRules(seededRandom(options.seed ?? 1));
    this.#moto = new MotoClient(motoPort, this.#scope(ELB), new NetworkArns(), this.#agent);
    this.#pipeline = new Pipeline(ALL_MENDS, (call) => this.#context(call));
  }

  async listen(address: string): Promise<void> {
    const { calls: log, buckets, rights } = this;
    const readTags = (scope: CredentialScope) => readTagsOf(this.#moto.as(scope), this.#viewOf(scope.region));
    const hooks = { before: this.#before, after: this.#after };
    const watch = { log, buckets, rights, readTags, faults: this.#faults, ...hooks };
    this.#endpoint = await Front.start(this.#moto, this.#pipeline, watch, address);
    this.#direct = await Front.start(this.#moto, this.#pipeline, undefined, address);
  }

  /** URL for the client under test. */
  get endpoint(): string {
    return urlOf(this.#endpoint);
  }

  /** URL for arranging things and for edits by hand: the same AWS, nothing is counted there or goes wrong. */
  get direct(): string {
    return urlOf(this.#direct);
  }

  /** Makes calls to `endpoint` go wrong until it is removed. */
  inject(rule: FaultRule): InjectedFault {
    return this.#faults.add(rule);
  }

  /** Ends all faults, hooks and buckets; what is there stays. */
  heal(): void {
    this.#faults.clear();
    this.#before.clear();
    this.#after.clear();
    this.buckets.disable();
  }

  /** Runs before a call to `endpoint` is done; the call waits for it. Answers how to take it away. */
  beforeCall(hook: CallHook): () => void {
    this.#before.add(hook);
    return () => void this.#before.delete(hook);
  }

  /** Runs after a call to `endpoint` was done, before its answer is sent. */
  afterCall(hook: CallHook): () => void {
    this.#after.add(hook);
    return () => void this.#after.delete(hook);
  }

  /** Of a target by its id, or `id:port`; undefined: healthy, as all are. */
  setHealth(target: string, health: TargetHealth | undefined): void {
    if (health === undefined) this.#health.delete(target);
    else this.#health.set(target, health);
  }

  /** How many addresses of a subnet are free, whatever is in it. */
  setFreeAddresses(subnetId: string, count: number): void {
    this.#viewOf(this.region).freeAddresses.set(subnetId, count);
  }

  /** An uncounted call, by hand. Throws an AwsError. */
  elb(operation: string, parameters: PlainObject = {}): Promise<PlainObject> {
    return this.#ask(ELB, operation, parameters);
  }

  ec2(operation: string, parameters: PlainObject = {}): Promise<PlainObject> {
    return this.#ask(EC2, operation, parameters);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#endpoint?.stop(), this.#direct?.stop()]);
    this.#agent.destroy();
    await this.#end();
  }

  async #ask(service: QueryService, operation: string, parameters: PlainObject): Promise<PlainObject> {
    const scope = this.#scope(service);
    const body = await this.#pipeline.run({ service, operation, parameters, scope, byHand: true }, 'by-hand');
    const content = object(parseXml(body).content);
    return service === ELB ? object(content[`${operation}Result`]) : content;
  }

  #scope(service: QueryService): CredentialScope {
    return { accessKey: this.credentials.accessKeyId, region: this.region, service: service.name };
  }

  #context({ scope, byHand }: PipelineCall): MendContext {
    return {
      view: this.#viewOf(scope.region),
      moto: this.#moto.as(scope),
      times: byHand ? { ...this.times, visibleAfterMs: 0 } : this.times,
      quotas: this.quotas,
      health: this.#health,
      now: () => performance.now(),
    };
  }

  #viewOf(region: string): View {
    const view = this.#views.get(region) ?? new View();
    this.#views.set(region, view);
    return view;
  }
}

function urlOf(front: Front | undefined): string {
  if (front === undefined) throw new Error('the peer does not listen');
  return front.url;
}
