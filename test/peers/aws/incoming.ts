import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AwsCall } from './call-log.ts';
import { parseForm } from './query-form.ts';
import { type CredentialScope, credentialScope, type QueryService, queryService } from './service.ts';

/** A request that came in whole. */
export interface Incoming {
  request: IncomingMessage;
  body: Buffer;
  scope: CredentialScope;
  /** undefined: not of the query protocol, or of a service whose answers aren't read here. */
  service: QueryService | undefined;
  requestId: string;
}

const UNSIGNED: CredentialScope = { accessKey: 'unsigned', region: 'us-east-1', service: '' };

/** Throws when the client goes away before it said everything. */
export async function readIncoming(request: IncomingMessage): Promise<Incoming> {
  const body = await readBody(request);
  const scope = credentialScope(request.headers.authorization) ?? UNSIGNED;
  const service = isForm(request) ? queryService(scope.service) : undefined;
  return { request, body, scope, service, requestId: randomUUID() };
}

/** For the log: not answered yet. */
export function toCall({ request, body, scope, service }: Incoming): AwsCall {
  const { operation, parameters } = isForm(request)
    ? parseForm(body.toString())
    : { operation: operationOfTarget(request), parameters: {} };
  return {
    service: service?.name ?? scope.service,
    region: scope.region,
    operation,
    parameters,
    at: Date.now(),
    status: undefined,
    code: undefined,
    cut: undefined,
    tookMs: undefined,
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function isForm(request: IncomingMessage): boolean {
  return request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
}

/** `CertificateManager.RequestCertificate`, in the JSON protocols. */
function operationOfTarget(request: IncomingMessage): string {
  const target = request.headers['x-amz-target'];
  return typeof target === 'string' ? (target.split('.').at(-1) ?? target) : (request.url ?? '');
}
