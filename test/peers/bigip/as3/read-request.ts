import { randomUUID } from 'node:crypto';
import { isObject, list, membersOfClass, object, type PlainObject, text } from '../plain.ts';
import type { RestAnswer } from '../rest-answer.ts';

export interface DeclareCall {
  method: string;
  /** Below `declare`. */
  segments: readonly string[];
  query: URLSearchParams;
  /** undefined: no JSON, or nothing. */
  body: unknown;
}

/** What a call wants changed. */
export interface Work {
  kind: 'deploy' | 'remove' | 'patch';
  /** Per application: of this tenant, these applications. */
  perApp: { tenant: string; applications: string[] } | undefined;
  /** Of the path; empty: none is named. */
  tenants: string[];
  /** As ADC, tenants by name; of a removal, of those that go. */
  declaration: PlainObject;
  /** Per application: as it was sent, for the check of its schema. */
  sent: unknown;
  patch: PlainObject[];
  dryRun: boolean;
  /** Device group, of an AS3 request. */
  syncTo: string;
}

const PARAMETERS = new Set(['show', 'age', 'filterClass', 'showHash', 'async', 'unchecked', 'unsafe']);

/** A declaration that is refused before anything is looked at, with AS3's words. */
export function plainError(status: number, message: string): RestAnswer {
  return { status, body: { code: status, message } };
}

/** Of `/declare/T/applications[/A]`; undefined for the whole-tenant interface. */
export function readPerAppPath(
  segments: readonly string[],
): { tenant: string; application: string | undefined } | undefined {
  const [tenant, word, application] = segments;
  return tenant !== undefined && word === 'applications' ? { tenant, application } : undefined;
}

/** undefined: they are fine. */
export function checkQuery({ method, query }: DeclareCall): RestAnswer | undefined {
  for (const [name, value] of query) {
    if (!PARAMETERS.has(name) && !name.startsWith('controls.')) {
      return plainError(400, `unrecognized URL query parameter "${name}"`);
    }
    if (name === 'show' && !/^(base|full|expanded)?$/i.test(value)) {
      return plainError(400, 'show must be "base", "full", or "expanded"');
    }
    if (name === 'async') {
      if (method === 'GET')
        return plainError(400, 'query param "async" is not allowed for method=GET or action=retrieve.');
      if (!/^(true|false)?$/i.test(value)) return plainError(400, 'async must be "true" or "false"');
    }
    if (name === 'age' && method !== 'GET') {
      return plainError(
        400,
        `query param "age" is not allowed for method ${method[0]}${method.slice(1).toLowerCase()}`,
      );
    }
  }
  return undefined;
}

export function readWork(call: DeclareCall, schemaVersion: string): Work | RestAnswer {
  const perApp = readPerAppPath(call.segments);
  const dryRun = call.query.get('controls.dryRun') === 'true';
  const base = {
    perApp: undefined,
    tenants: [],
    declaration: {},
    sent: undefined,
    patch: [],
    dryRun,
    syncTo: '',
  };
  if (perApp !== undefined && call.segments.some((segment) => segment.includes(','))) {
    const path = call.segments.join('/');
    return plainError(
      400,
      `declare/${path} is an invalid path. Only 1 tenant and 1 application may be specified in the URL.`,
    );
  }
  if (perApp?.tenant === 'Common') return NO_COMMON;
  if (perApp !== undefined) return readPerApp(call, perApp.tenant, perApp.application, schemaVersion, base);
  const tenants = (call.segments[0] ?? '').split(',').filter((name) => name !== '');
  if (call.method === 'DELETE')
    return { ...base, kind: 'remove', tenants, declaration: stub(schemaVersion, tenants) };
  if (call.method === 'PATCH') return readPatch(call.body, tenants, base);
  return readPost(call.body, tenants, base, schemaVersion);
}

type Base = Omit<Work, 'kind'>;

const NO_COMMON = plainError(422, 'Invalid request: this stand-in takes no tenant Common');

function readPerApp(
  { method, body }: DeclareCall,
  tenant: string,
  application: string | undefined,
  schemaVersion: string,
  base: Base,
): Work | RestAnswer {
  if (method === 'DELETE') {
    const applications = application === undefined ? [] : [application];
    return {
      ...base,
      kind: 'remove',
      perApp: { tenant, applications },
      declaration: stub(schemaVersion, []),
    };
  }
  if (Array.isArray(body)) return plainError(422, 'declaration should be an object');
  const applications = method === 'POST' ? membersOfClass(object(body), 'Application') : [];
  if (applications.length === 0) {
    // PATCH ends here, too: AS3 has no applications to look at then.
    return plainError(
      422,
      'Invalid data property: Per-app declaration must contain at least one application',
    );
  }
  const sent = object(body);
  const controls = isObject(sent.controls) ? { controls: sent.controls } : {};
  return {
    ...base,
    kind: 'deploy',
    perApp: { tenant, applications: applications.map(([name]) => name) },
    sent,
    dryRun: base.dryRun || object(sent.controls).dryRun === true,
    declaration: {
      class: 'ADC',
      schemaVersion: sent.schemaVersion,
      id: `autogen_${randomUUID()}`,
      [tenant]: { class: 'Tenant', ...Object.fromEntries(applications), ...controls },
    },
  };
}

function readPatch(body: unknown, tenants: string[], base: Base): Work | RestAnswer {
  const patch = Array.isArray(body) ? body : object(body).class === 'AS3' ? object(body).patchBody : body;
  const operations = list(patch).filter(isObject);
  if (!Array.isArray(patch)) return plainError(422, 'Invalid request: /patchBody: should be array');
  if (operations.length === 0)
    return plainError(422, 'Invalid request: /patchBody: should NOT have fewer than 1 items');
  if (operations.some(({ op }) => op === 'test'))
    return plainError(422, "invalid patch - op 'test' is not supported");
  if (operations.some(({ path, value }) => path === '/updateMode' && value !== 'selective')) {
    return plainError(422, "invalid patch - updateMode value can only be 'selective'");
  }
  const named = operations.map(({ path }) => text(path).split('/')[1] ?? '');
  return { ...base, kind: 'patch', tenants: [...new Set([...tenants, ...named])], patch: operations };
}

function readPost(body: unknown, tenants: string[], base: Base, schemaVersion: string): Work | RestAnswer {
  if (Array.isArray(body))
    return plainError(422, 'Invalid request: this device takes one declaration at a time');
  const request = object(body);
  const isRequest = request.class === 'AS3';
  const action = isRequest && text(request.action) !== '' ? text(request.action) : 'deploy';
  if (action === 'remove')
    return { ...base, kind: 'remove', tenants, declaration: stub(schemaVersion, tenants) };
  if (action === 'patch') return readPatch(request, tenants, base);
  if (!['deploy', 'dry-run'].includes(action))
    return plainError(400, `this device has no action "${action}"`);
  const given = isRequest ? request.declaration : request;
  if (given === undefined) return plainError(400, 'for action "deploy", a declaration is required.');
  if (!isObject(given) || given.class !== 'ADC') {
    return plainError(422, "Invalid request: /declaration: should have required property 'class'");
  }
  if (given.Common !== undefined) return NO_COMMON;
  const declaration: PlainObject = structuredClone(given);
  if (['', 'generate'].includes(text(declaration.id))) declaration.id = `autogen_${randomUUID()}`;
  declaration.updateMode ??= 'selective';
  const wanted = tenants.filter((name) => object(declaration[name]).class === 'Tenant');
  if (tenants.length > 0) {
    for (const [name] of membersOfClass(declaration, 'Tenant'))
      if (!wanted.includes(name)) delete declaration[name];
  }
  return {
    ...base,
    kind: 'deploy',
    tenants: wanted,
    declaration,
    dryRun: base.dryRun || action === 'dry-run' || object(declaration.controls).dryRun === true,
    syncTo: isRequest ? text(request.syncToGroup) : '',
  };
}

/** AS3's own declaration for a removal: the tenants that go, without anything in them. */
function stub(schemaVersion: string, tenants: readonly string[]): PlainObject {
  const empty = Object.fromEntries(tenants.map((name) => [name, { class: 'Tenant' }]));
  const updateMode = tenants.length === 0 ? 'complete' : 'selective';
  return { class: 'ADC', schemaVersion, id: String(Date.now()), updateMode, ...empty };
}
