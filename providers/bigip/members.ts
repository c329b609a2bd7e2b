import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { memberName } from './names.ts';

/** One target of a pool, as it stands in a declaration. */
export interface DeclaredMember {
  /** As the device names it. */
  name: string;
  address: string;
  port: number;
  adminState: string;
  priority: number;
  connectionLimit: number;
  shareNodes: boolean;
  remark: string;
}

/** Targets of an AS3 Pool one by one; those that somebody declared in another way than we do aren't told. */
export function membersOf(pool: JsonObject): DeclaredMember[] {
  const groups = Array.isArray(pool.members) ? pool.members.filter(isJsonObject) : [];
  return groups.flatMap((group) => {
    const { serverAddresses, servicePort: port } = group;
    if (!Array.isArray(serverAddresses) || typeof port !== 'number') return [];
    return serverAddresses.flatMap((address) =>
      typeof address !== 'string'
        ? []
        : {
            name: memberName(address, port),
            address,
            port,
            adminState: textOf(group.adminState, 'enable'),
            priority: numberOf(group.priorityGroup),
            connectionLimit: numberOf(group.connectionLimit),
            shareNodes: group.shareNodes === true,
            remark: textOf(group.remark, ''),
          },
    );
  });
}

/** Objects of one class in an application, by name. */
export function objectsOf(
  application: JsonObject,
  isOf: (className: string) => boolean,
): [string, JsonObject][] {
  return Object.entries(application).flatMap(([name, value]): [string, JsonObject][] =>
    isJsonObject(value) && typeof value.class === 'string' && isOf(value.class) ? [[name, value]] : [],
  );
}

export function poolsOf(application: JsonObject): [string, JsonObject][] {
  return objectsOf(application, (name) => name === 'Pool');
}

export function textOf(value: Json | undefined, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

export function numberOf(value: Json | undefined, otherwise = 0): number {
  return typeof value === 'number' ? value : otherwise;
}
