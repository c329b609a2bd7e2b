import type { ListStyle } from './query-form.ts';
import type { ListElement } from './xml.ts';

/** A service of the query protocol by the name that requests are signed for. */
export interface QueryService {
  name: string;
  version: string;
  namespace: string;
  listStyle: ListStyle;
  listElement: ListElement;
}

export const ELB: QueryService = {
  name: 'elasticloadbalancing',
  version: '2015-12-01',
  namespace: 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/',
  listStyle: 'member',
  listElement: 'member',
};

export const EC2: QueryService = {
  name: 'ec2',
  version: '2016-11-15',
  namespace: 'http://ec2.amazonaws.com/doc/2016-11-15/',
  listStyle: 'number',
  listElement: 'item',
};

/** Those whose answers are read here; all others (STS, ACM) pass as they are. */
export function queryService(name: string): QueryService | undefined {
  return [ELB, EC2].find((service) => service.name === name);
}

export interface CredentialScope {
  accessKey: string;
  region: string;
  service: string;
}

/**
 * From an Authorization header; undefined where a request isn't signed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
 */
export function credentialScope(authorization: string | undefined): CredentialScope | undefined {
  const match = /Credential=([^/]+)\/\d+\/([^/]+)\/([^/]+)\/aws4_request/.exec(authorization ?? '');
  const [, accessKey, region, service] = match ?? [];
  if (accessKey === undefined || region === undefined || service === undefined) return undefined;
  return { accessKey, region, service };
}

/** A header that names the scope: nothing behind this folder's proxy checks signatures. */
export function unsignedAuthorization(scope: CredentialScope): string {
  const { accessKey, region, service } = scope;
  const credential = `${accessKey}/20260101/${region}/${service}/aws4_request`;
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`;
}
