import { ClassedError } from '../../../../../kube/errors.ts';
import type { Caller } from '../../../../../providers/bigip/calls/as3.ts';
import type { UnitAnswer, UnitRequest } from '../../../../../providers/bigip/calls/unit.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../../../providers/bigip/json.ts';
import { memberName } from '../../../../../providers/bigip/names.ts';

export type Applications = Record<string, JsonObject>;

/** What stands in a partition by hand: `ltm/pool /T/name`. */
export type Loose = Record<string, JsonObject>;

/**
 * A device in memory, as merciless as AS3 may be: whatever is in a tenant that is written to, and in no application of it,
 * is removed with each write; a whole tenant is what was sent.
 */
export class MemoryDevice implements Caller {
  readonly device = 'memory';
  readonly tenants: Record<string, Applications>;
  loose: Loose;
  readonly perApplication: boolean;
  /** Bodies that were posted. */
  readonly posted: JsonObject[] = [];
  /** An application of this name is refused. */
  refused: string | undefined;

  constructor(tenants: Record<string, Applications>, loose: Loose, perApplication: boolean) {
    this.tenants = tenants;
    this.loose = loose;
    this.perApplication = perApplication;
  }

  async close(): Promise<void> {}

  async call({ body, method, path }: UnitRequest): Promise<UnitAnswer> {
    const [route = '', query = ''] = path.split('?');
    if (route.endsWith('/appsvcs/info')) return ok({ version: '3.56.0', schemaCurrent: '3.56.0' });
    if (route.endsWith('/appsvcs/settings')) return ok({ perAppDeploymentAllowed: this.perApplication });
    const [, tenant, isPerApplication, application] =
      /\/declare\/([^/]+)(\/applications)?(?:\/(.+))?$/.exec(route) ?? [];
    if (tenant !== undefined) {
      if (method === 'GET') return this.#read(tenant);
      if (method === 'POST') return this.#post(tenant, isPerApplication !== undefined, body ?? {});
      return this.#remove(tenant, application);
    }
    const [, pool] = /\/ltm\/pool\/([^/]+)\/members$/.exec(route) ?? [];
    if (pool !== undefined) return ok({ items: this.#membersOf(pool.split('~')) });
    const [, kind] = /^\/mgmt\/tm\/(.+)$/.exec(route) ?? [];
    const [, partition] = /partition\+eq\+(\w+)/.exec(query) ?? [];
    if (kind !== undefined && partition !== undefined) return ok({ items: this.#list(kind, partition) });
    throw new ClassedError(`${method} ${path}`, { class: 'NotFound', code: 404, reason: 'NotFound' });
  }

  #read(tenant: string): UnitAnswer {
    const applications = this.tenants[tenant];
    if (applications === undefined) {
      throw new ClassedError('no such tenant', { class: 'NotFound', code: 404, reason: 'NotFound' });
    }
    return ok({ class: 'ADC', [tenant]: { class: 'Tenant', ...applications } });
  }

  #post(tenant: string, isPerApplication: boolean, body: JsonObject): UnitAnswer {
    this.posted.push(structuredClone(body));
    const holder = isPerApplication ? body : body[tenant];
    const sent = Object.fromEntries(
      Object.entries(isJsonObject(holder) ? holder : {}).filter((entry): entry is [string, JsonObject] => {
        const [, value] = entry;
        return isJsonObject(value) && value.class === 'Application';
      }),
    );
    if (this.refused !== undefined && this.refused in sent) {
      const results = [{ code: 422, message: 'declaration failed', response: 'the device refuses', tenant }];
      return { code: 202, body: { id: '1', results } };
    }
    this.#dropLoose(tenant);
    this.tenants[tenant] = structuredClone(isPerApplication ? { ...this.tenants[tenant], ...sent } : sent);
    return ok({ id: '1', results: [{ code: 200, message: 'success', tenant }] });
  }

  #remove(tenant: string, application: string | undefined): UnitAnswer {
    // As little of others goes with one application as src/lib/audit.js of f5-appsvcs-extension says.
    this.#dropLoose(tenant, application === undefined ? '' : 'ltm/(node|virtual-address|snat-translation) ');
    if (application === undefined) delete this.tenants[tenant];
    else delete this.tenants[tenant]?.[application];
    return ok({ results: [{ code: 200, message: 'success', tenant }] });
  }

  #dropLoose(tenant: string, kinds = ''): void {
    const isDropped = (key: string) =>
      key.split(' ')[1]?.startsWith(`/${tenant}/`) === true && new RegExp(`^${kinds}`).test(key);
    this.loose = Object.fromEntries(Object.entries(this.loose).filter(([key]) => !isDropped(key)));
  }

  #list(kind: string, partition: string): Json[] {
    return Object.entries(this.loose).flatMap(([key, object]) => {
      const [looseKind, fullPath = ''] = key.split(' ');
      return looseKind === kind && fullPath.startsWith(`/${partition}/`) ? { ...object, fullPath } : [];
    });
  }

  #membersOf([, tenant = '', application = '', pool = '']: string[]): Json[] {
    const declared = this.tenants[tenant]?.[application]?.[pool];
    const groups = isJsonObject(declared) && Array.isArray(declared.members) ? declared.members : [];
    return groups.filter(isJsonObject).flatMap(({ adminState, serverAddresses, servicePort }) =>
      (Array.isArray(serverAddresses) ? serverAddresses : []).map((address) => ({
        name: memberName(String(address), Number(servicePort)),
        session: adminState === 'disable' ? 'user-disabled' : 'monitor-enabled',
        state: 'up',
      })),
    );
  }
}

function ok(body: JsonObject): UnitAnswer {
  return { code: 200, body };
}
