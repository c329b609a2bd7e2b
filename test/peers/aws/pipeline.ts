import type { After, Before, Mend, MendContext } from './mend.ts';
import type { PlainObject } from './plain.ts';
import { type CredentialScope, EC2, ELB, type QueryService } from './service.ts';
import { renderXml } from './xml.ts';

/** Reads that must not fall between the two halves of a write that is done in two, or that are done in two themselves. */
const SERIAL_READS: readonly string[] = ['DescribeTags', 'DescribeLoadBalancers'];

/** Operations of EC2 after which subnets and instances are as they were. */
const LEAVES_NETWORK = /^Describe|SecurityGroup|Address/;

export interface PipelineCall {
  service: QueryService;
  operation: string;
  parameters: PlainObject;
  scope: CredentialScope;
  /** By the test itself: sees what was made at once. */
  byHand: boolean;
}

/** Takes a call through the mends, to moto and back. Writes go one at a time: a mend looks first, then moto acts. */
export class Pipeline {
  readonly #before = new Map<string, Before[]>();
  readonly #after = new Map<string, After[]>();
  readonly #contextOf: (call: PipelineCall) => MendContext;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(mends: readonly Mend[], contextOf: (call: PipelineCall) => MendContext) {
    this.#contextOf = contextOf;
    for (const { service, before = {}, after = {} } of mends) {
      for (const [operation, step] of Object.entries(before)) collect(this.#before, service, operation, step);
      for (const [operation, step] of Object.entries(after)) collect(this.#after, service, operation, step);
    }
  }

  /** The body of a good answer; throws an AwsError. */
  run(call: PipelineCall, requestId: string): Promise<string> {
    const { operation } = call;
    if (operation.startsWith('Describe') && !SERIAL_READS.includes(operation))
      return this.#do(call, requestId);
    const done = this.#writing.then(() => this.#do(call, requestId));
    this.#writing = done.catch(() => undefined);
    return done;
  }

  async #do(call: PipelineCall, requestId: string): Promise<string> {
    const { service, operation } = call;
    const context = this.#contextOf(call);
    const parameters = structuredClone(call.parameters);
    const key = `${service.name} ${operation}`;
    let result: PlainObject | undefined;
    for (const step of this.#before.get(key) ?? []) {
      result = await step(parameters, context);
      if (result !== undefined) break;
    }
    if (service === EC2 && !LEAVES_NETWORK.test(operation)) context.view.forgetNetwork();
    const after = this.#after.get(key) ?? [];
    if (result === undefined) {
      if (after.length === 0) return context.moto.askText(service, operation, parameters);
      result = await context.moto.ask(service, operation, parameters);
    }
    for (const step of after) await step(parameters, result, context);
    return render(service, operation, result, requestId);
  }
}

function collect<T>(steps: Map<string, T[]>, service: string, operation: string, step: T): void {
  const key = `${service} ${operation}`;
  steps.set(key, [...(steps.get(key) ?? []), step]);
}

function render(service: QueryService, operation: string, result: PlainObject, requestId: string): string {
  const inner = renderXml(result, service.listElement);
  const name = `${operation}Response`;
  if (service !== ELB) return `<${name} xmlns="${service.namespace}">${inner}</${name}>`;
  const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
  return `<${name} xmlns="${service.namespace}"><${operation}Result>${inner}</${operation}Result>${metadata}</${name}>`;
}
