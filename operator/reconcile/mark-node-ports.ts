import type { Service } from '../../kube/objects.ts';
import { stripObject } from '../../kube/strip-object.ts';
import { FIELD_MANAGER } from '../plan/names.ts';

/** Never on the server, and nothing that a person could write: a symbol of the object in memory, with `80/TCP` and so on. */
const CHOSEN = Symbol('chosenNodePorts');

type Marked = Service & { [CHOSEN]?: ReadonlySet<string> };

/**
 * Keeps of `managedFields` just one fact: which node ports a person (or whoever isn't us) wrote. A number that Kubernetes
 * gave out is in nobody's managed fields, since it is filled in after they are reckoned. Then strips the object.
 */
export function markChosenNodePorts(service: Service): Service {
  const chosen = chosenNodePorts(service);
  const stripped: Marked = stripObject(service);
  if (chosen.size > 0) stripped[CHOSEN] = chosen;
  return stripped;
}

/** `80/TCP` and so on: the ports of a Service, as the informer gave it, whose node port somebody chose. */
export function readChosenNodePorts(service: Service): ReadonlySet<string> {
  const marked: Marked = service;
  return marked[CHOSEN] ?? new Set();
}

function chosenNodePorts(service: Service): Set<string> {
  const metadata: Service['metadata'] & { managedFields?: unknown[] } = service.metadata;
  const chosen = new Set<string>();
  for (const entry of metadata.managedFields ?? []) {
    if (!isRecord(entry) || entry.manager === FIELD_MANAGER) continue;
    const ports = childOf(childOf(entry.fieldsV1, 'f:spec'), 'f:ports');
    for (const [key, fields] of Object.entries(ports ?? {})) {
      const port = key.startsWith('k:') ? readPortKey(key.slice(2)) : undefined;
      if (port !== undefined && childOf(fields, 'f:nodePort') !== undefined) chosen.add(port);
    }
  }
  return chosen;
}

function childOf(fields: unknown, name: string): Record<string, unknown> | undefined {
  if (!isRecord(fields)) return undefined;
  const child = fields[name];
  return isRecord(child) ? child : undefined;
}

/** `{"port":80,"protocol":"TCP"}` to `80/TCP`. */
function readPortKey(json: string): string | undefined {
  try {
    const key: unknown = JSON.parse(json);
    if (!isRecord(key) || typeof key.port !== 'number') return undefined;
    return `${key.port}/${typeof key.protocol === 'string' ? key.protocol : 'TCP'}`;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
