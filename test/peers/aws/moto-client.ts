import { type Agent, request } from 'node:http';
import { readError } from './aws-error.ts';
import type { NetworkArns } from './mends/network-arns.ts';
import { object, type PlainObject } from './plain.ts';
import { renderForm } from './query-form.ts';
import { type CredentialScope, EC2, ELB, type QueryService, unsignedAuthorization } from './service.ts';
import { parseXml } from './xml.ts';

export interface RawRequest {
  method: string;
  path: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer | string;
}

export interface RawAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
}

const HOP_BY_HOP: readonly string[] = ['connection', 'expect', 'keep-alive', 'transfer-encoding'];

/** moto behind the proxy: speaks of `net/` where moto says `app/`. */
export class MotoClient {
  readonly #port: number;
  readonly #scope: CredentialScope;
  readonly #arns: NetworkArns;
  readonly #agent: Agent;

  constructor(port: number, scope: CredentialScope, arns: NetworkArns, agent: Agent) {
    this.#port = port;
    this.#scope = scope;
    this.#arns = arns;
    this.#agent = agent;
  }

  /** In the name of somebody else, region and account by their credentials. */
  as(scope: CredentialScope): MotoClient {
    return new MotoClient(this.#port, scope, this.#arns, this.#agent);
  }

  elb(operation: string, parameters: PlainObject): Promise<PlainObject> {
    return this.ask(ELB, operation, parameters);
  }

  ec2(operation: string, parameters: PlainObject): Promise<PlainObject> {
    return this.ask(EC2, operation, parameters);
  }

  /** The result; an AwsError where moto says so. */
  async ask(service: QueryService, operation: string, parameters: PlainObject): Promise<PlainObject> {
    const body = await this.askText(service, operation, parameters);
    const content = object(parseXml(body).content);
    return service === ELB ? object(content[`${operation}Result`]) : content;
  }

  /** The same, as the text that it is. */
  async askText(service: QueryService, operation: string, parameters: PlainObject): Promise<string> {
    const form = renderForm(operation, service.version, parameters, service.listStyle);
    const answer = await this.send({
      method: 'POST',
      path: '/',
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        authorization: unsignedAuthorization({ ...this.#scope, service: service.name }),
      },
      body: this.#arns.toMoto(form),
    });
    const body = answer.body.toString();
    if (answer.status >= 300) throw readError(answer.status, this.#arns.fromMoto(body));
    if (operation === 'CreateLoadBalancer' && parameters.Type === 'network') this.#arns.learn(body);
    return this.#arns.fromMoto(body);
  }

  /** Anything at all, as it is. */
  send(outgoing: RawRequest): Promise<RawAnswer> {
    const { method, path, body } = outgoing;
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries(outgoing.headers)) {
      if (value !== undefined && !HOP_BY_HOP.includes(name)) headers[name] = value;
    }
    return new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port: this.#port,
        agent: this.#agent,
        method,
        path,
        headers: { ...headers, host: `127.0.0.1:${this.#port}`, 'content-length': Buffer.byteLength(body) },
      });
      sent.once('error', reject);
      sent.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      sent.end(body);
    });
  }
}
