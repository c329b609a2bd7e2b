import { GROUP } from '../../crds/resources.ts';
import type { Service } from '../../kube/objects.ts';
import { stripObject } from '../../kube/strip-object.ts';
import { FIELD_MANAGER } from '../plan/names.ts';

/** Never on the server: an annotation of the object in memory, `80/TCP,53/UDP`. */
const CHOSEN = `${GROUP}/chosen-node-ports.memory`;

/**
 * Keeps of `managedFields` just one fact: which node ports a person (or whoever isn't us) wrote. A number that Kubernetes
 * gave out is in nobody's managed fields, since it is filled in after they are reckoned. Then strips the object.
 */
export function markChosenNodePorts(service: Service): Service {
  const chosen = chosenNodePorts(service);
  const stripped = stripObject(service);
  if (chosen.size > 0) {
    stripped.metadata.annotations = { ...stripped.metadata.annotations, [CHOSEN]: [...chosen].join(',') };
  }
  return stripped;
}

/** `80/TCP` and so on: the ports of a Service, as the informer gave it, whose node port somebody chose. */
export function readChosenNodePorts(service: Service): ReadonlySet<string> {
  const text = service.metadata.annotations?.[CHOSEN];
  return new Set(text === undefined ? [] : text.split(','));
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
