import type {
  ConfigMap,
  EndpointSlice,
  KubeObject,
  Lease,
  Namespace,
  Node,
  Pod,
  Secret,
  Service,
  ServiceCIDR,
} from './objects.ts';

/** Where a kind lives in the API; `T` is the shape of its objects. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
  /** Never set: carries `T` for inference. */
  readonly _object?: T;
}

/** Names a kind, for one that isn't listed here. */
export function resource<T extends KubeObject>(
  group: string,
  version: string,
  plural: string,
  kind: string,
  namespaced: boolean,
): ResourceType<T> {
  return { group, version, plural, kind, namespaced };
}

export const SERVICES = resource<Service>('', 'v1', 'services', 'Service', true);
export const NODES = resource<Node>('', 'v1', 'nodes', 'Node', false);
export const PODS = resource<Pod>('', 'v1', 'pods', 'Pod', true);
export const SECRETS = resource<Secret>('', 'v1', 'secrets', 'Secret', true);
export const CONFIG_MAPS = resource<ConfigMap>('', 'v1', 'configmaps', 'ConfigMap', true);
export const NAMESPACES = resource<Namespace>('', 'v1', 'namespaces', 'Namespace', false);
export const ENDPOINT_SLICES = resource<EndpointSlice>(
  'discovery.k8s.io',
  'v1',
  'endpointslices',
  'EndpointSlice',
  true,
);
/** The ranges that ClusterIPs come from (KEP-1880); in Kubernetes since 1.33. */
export const SERVICE_CIDRS = resource<ServiceCIDR>(
  'networking.k8s.io',
  'v1',
  'servicecidrs',
  'ServiceCIDR',
  false,
);
export const LEASES = resource<Lease>('coordination.k8s.io', 'v1', 'leases', 'Lease', true);
export const EVENTS = resource('events.k8s.io', 'v1', 'events', 'Event', true);
/** The apiVersion that objects of this kind carry. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** The path of a collection, of one object, or of its subresource. */
export function pathOf(type: ResourceType, namespace?: string, name?: string, subresource?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope = type.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${type.plural}${object}${subresource === undefined ? '' : `/${subresource}`}`;
}

/** `namespace/name`, or `name` for a cluster-scoped object: the key of stores and queues. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}
