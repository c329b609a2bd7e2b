import { type Configuration, partitionOf } from '../configuration.ts';
import { membersOf } from '../members.ts';
import { object, type PlainObject, text } from '../plain.ts';
import { frameworkError, ok, type RestAnswer } from '../rest-answer.ts';
import {
  addMember,
  changeMember,
  changeObject,
  createObject,
  deleteObject,
  removeMember,
  requireMember,
  requireObject,
} from './edit-objects.ts';
import { type KindOfPath, readKind } from './kinds.ts';
import {
  type HealthOf,
  kindName,
  linkTo,
  renderCollection,
  renderMember,
  renderObject,
  renderProfile,
} from './render-object.ts';
import {
  belowMember,
  memberStats,
  memberStatus,
  nestStats,
  poolStatus,
  renderStatus,
} from './render-stats.ts';

export interface TmRequest {
  method: string;
  /** Below /mgmt/tm, each part decoded. */
  segments: readonly string[];
  query: URLSearchParams;
  body: unknown;
}

/** Objects of the configuration over iControl REST: read, and changed by hand. */
export function answerTm(configuration: Configuration, healthOf: HealthOf, request: TmRequest): RestAnswer {
  const where = readKind(request.segments);
  if (where === undefined) return notRegistered(request.segments);
  const expand = request.query.get('expandSubcollections') === 'true';
  const rendering = { configuration, healthOf, expand };
  const [name, sub, member, ...more] = where.rest;
  if (more.length > 0 && more[0] !== 'stats') return notRegistered(request.segments);
  if (name === undefined) return answerCollection(rendering, request, where);
  if (name === 'stats') return notRegistered(request.segments);
  const path = where.kind === 'auth/partition' ? `/${name}` : pathOf(name);
  if (sub === undefined) return answerObject(rendering, request, where, path);
  const properties = requireObject(configuration, where.kind, path);
  if (sub === 'stats') return answerStats(configuration, healthOf, where.kind, path, properties);
  if (where.kind === 'ltm/virtual' && sub === 'profiles' && request.method === 'GET') {
    const items = Array.isArray(properties.profiles)
      ? properties.profiles.map((one) => renderProfile(path, object(one)))
      : [];
    return ok(
      renderCollection(
        'tm:ltm:virtual:profiles:profilescollectionstate',
        linkTo(where.kind, path, '/profiles'),
        items,
      ),
    );
  }
  if (where.kind !== 'ltm/pool' || sub !== 'members') return notRegistered(request.segments);
  return answerMembers(rendering, request, path, member, more[0] === 'stats');
}

interface Context {
  configuration: Configuration;
  healthOf: HealthOf;
  expand: boolean;
}

function answerCollection(context: Context, { method, query, body }: TmRequest, { kind }: KindOfPath) {
  const { configuration } = context;
  if (method === 'POST') {
    const path = createObject(configuration, kind, object(body));
    return ok(renderObject(context, kind, path, requireObject(configuration, kind, path)));
  }
  if (method !== 'GET') return frameworkError(405, `Method not allowed for /tm/${kind}`);
  const partition = /^partition eq '?([^']+)'?$/.exec(query.get('$filter') ?? '')?.[1];
  const found = configuration
    .list(kind)
    .filter(({ path }) => partition === undefined || partitionOf(path) === partition);
  const items = found.map(({ path, properties }) =>
    select(renderObject(context, kind, path, properties), query),
  );
  return ok(renderCollection(kindName(kind, 'collectionstate'), linkTo(kind), items));
}

function answerObject(
  context: Context,
  { method, query, body }: TmRequest,
  { kind }: KindOfPath,
  path: string,
) {
  const { configuration } = context;
  if (method === 'DELETE') {
    deleteObject(configuration, kind, path);
    return ok(undefined);
  }
  if (method === 'PATCH' || method === 'PUT') {
    changeObject(configuration, kind, path, object(body));
  }
  return ok(select(renderObject(context, kind, path, requireObject(configuration, kind, path)), query));
}

function answerMembers(
  { configuration, healthOf }: Context,
  { method, body, segments }: TmRequest,
  pool: string,
  member: string | undefined,
  isStats: boolean,
): RestAnswer {
  const properties = () => requireObject(configuration, 'ltm/pool', pool);
  const link = linkTo('ltm/pool', pool, '/members');
  if (member === undefined && method === 'POST') {
    const added = addMember(configuration, pool, object(body));
    return ok(renderMember(pool, properties(), added, healthOf));
  }
  if (member === undefined || member === 'stats') {
    if (method !== 'GET') return frameworkError(405, `Method not allowed for /tm/${segments.join('/')}`);
    const members = membersOf(properties());
    if (member === 'stats') {
      const stats = members.map((one) => ({
        path: pool,
        below: belowMember(one),
        entries: memberStats(pool, properties(), one, healthOf),
      }));
      return ok({
        ...nestStats('ltm/pool', linkTo('ltm/pool', pool, '/members/stats'), stats),
        kind: 'tm:ltm:pool:members:memberscollectionstats',
      });
    }
    const items = members.map((one) => renderMember(pool, properties(), one, healthOf));
    return ok(renderCollection('tm:ltm:pool:members:memberscollectionstate', link, items));
  }
  const path = pathOf(member);
  const found = requireMember(configuration, pool, path);
  if (isStats) {
    const stats = [
      { path: pool, below: belowMember(found), entries: memberStats(pool, properties(), found, healthOf) },
    ];
    const nested = nestStats('ltm/pool', linkTo('ltm/pool', pool, `${belowMember(found)}/stats`), stats);
    return ok({ ...nested, kind: 'tm:ltm:pool:members:membersstats' });
  }
  if (method === 'DELETE') {
    removeMember(configuration, pool, path);
    return ok(undefined);
  }
  if (method === 'PATCH' || method === 'PUT') {
    changeMember(configuration, pool, path, object(body));
  }
  return ok(renderMember(pool, properties(), requireMember(configuration, pool, path), healthOf));
}

function answerStats(
  configuration: Configuration,
  healthOf: HealthOf,
  kind: string,
  path: string,
  properties: PlainObject,
): RestAnswer {
  const pool = kind === 'ltm/pool' ? properties : configuration.get('ltm/pool', text(properties.pool));
  const members = membersOf(pool ?? {});
  const status = poolStatus(pool ?? {}, members, healthOf);
  const connections = members.reduce((sum, member) => sum + (healthOf(member).connections ?? 0), 0);
  const side = kind === 'ltm/pool' ? 'serverside' : 'clientside';
  const active = members.filter(
    (member) => memberStatus(pool ?? {}, member, healthOf).availability === 'available',
  ).length;
  const entries = {
    [`${side}.curConns`]: { value: connections },
    ...(kind === 'ltm/pool' && { activeMemberCnt: { value: active }, memberCnt: { value: members.length } }),
    ...renderStatus({ ...status, enabled: properties.disabled !== true }),
    tmName: { description: path },
  };
  return ok(nestStats(kind, linkTo(kind, path, '/stats'), [{ path, below: '', entries }]));
}

/** `~T~A~web`; a name of its own is one in /Common. */
function pathOf(name: string): string {
  return name.startsWith('~') ? name.replaceAll('~', '/') : `/Common/${name}`;
}

function select(shown: PlainObject, query: URLSearchParams): PlainObject {
  const names = query.get('$select')?.split(',');
  if (names === undefined) return shown;
  return Object.fromEntries(Object.entries(shown).filter(([name]) => names.includes(name)));
}

function notRegistered(segments: readonly string[]): RestAnswer {
  return frameworkError(404, `Public URI path not registered: /tm/${segments.join('/')}`);
}
