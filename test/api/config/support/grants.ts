/** Something that a component may or may not do. */
export interface Action {
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
  /** Only there; absent: everywhere. */
  namespace?: string;
  name?: string;
}

const SYSTEM = 'fairlead-system';
const READ = ['get', 'list', 'watch'];

/** `group/resource/subresource` or `resource` of the core group. */
function grant(
  kind: string,
  verbs: readonly string[],
  where: { namespace?: string; name?: string } = {},
): Action[] {
  const [group = '', resource = '', subresource] = kind.includes('/') ? kind.split('/') : ['', kind];
  return verbs.map((verb) => ({
    verb,
    group,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...where,
  }));
}

/** All that the operator needs. Each line is for something that it does; nothing else may be granted. */
export const OPERATOR_NEEDS: Action[] = [
  ...grant('services', [...READ, 'patch']),
  ...grant('/services/status', ['patch']),
  ...grant('nodes', READ),
  ...grant('namespaces', READ),
  ...grant('pods', READ),
  ...grant('/pods/status', ['patch']),
  ...grant('discovery.k8s.io/endpointslices', READ),
  ...grant('events.k8s.io/events', ['create', 'patch']),
  ...grant('fairlead.dev/loadbalancerproviders', READ),
  ...grant('fairlead.dev/addresspools', READ),
  ...grant('fairlead.dev/portpools', READ),
  ...grant('fairlead.dev/nodeforwarders', READ),
  ...grant('fairlead.dev/nodeforwarders/status', ['patch']),
  ...grant('fairlead.dev/loadbalancers', [...READ, 'create', 'patch', 'delete']),
  ...grant('fairlead.dev/loadbalancers/status', ['patch']),
  ...grant('fairlead.dev/loadbalancerproviders/status', ['patch']),
  ...grant('fairlead.dev/addresspools/status', ['patch']),
  ...grant('fairlead.dev/portpools/status', ['patch']),
  ...grant('coordination.k8s.io/leases', [...READ, 'create'], { namespace: SYSTEM }),
  ...grant('coordination.k8s.io/leases', ['update'], { namespace: SYSTEM, name: 'fairlead-operator' }),
  ...grant('secrets', ['get'], { namespace: SYSTEM }),
  ...grant('configmaps', ['get'], { namespace: SYSTEM }),
];

/** All that an agent needs. */
export const AGENT_NEEDS: Action[] = [
  ...grant('services', READ),
  ...grant('nodes', READ),
  ...grant('discovery.k8s.io/endpointslices', READ),
  ...grant('networking.k8s.io/servicecidrs', READ),
  ...grant('fairlead.dev/loadbalancers', READ),
  ...grant('fairlead.dev/nodeforwarders', ['get', 'create', 'patch']),
  ...grant('fairlead.dev/nodeforwarders/status', ['patch']),
  ...grant('events.k8s.io/events', ['create', 'patch']),
  ...grant('coordination.k8s.io/leases', [...READ, 'create', 'patch', 'delete'], { namespace: SYSTEM }),
];

/** All that an edge needs. */
export const EDGE_NEEDS: Action[] = [
  ...grant('nodes', READ),
  ...grant('discovery.k8s.io/endpointslices', READ),
  ...grant('fairlead.dev/loadbalancers', READ),
  ...grant('fairlead.dev/loadbalancerproviders', READ),
  ...grant('fairlead.dev/loadbalancers/status', ['patch']),
  ...grant('coordination.k8s.io/leases', ['create', 'patch'], { namespace: SYSTEM }),
];

const WRITE = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const ALL = [...READ, ...WRITE];

/** What neither may do, for the harm that a stolen token would do with it. */
export const NOBODY_MAY: Action[] = [
  ...grant('secrets', ALL),
  ...grant('secrets', ['list', 'watch', ...WRITE], { namespace: SYSTEM }),
  ...grant('configmaps', ALL),
  ...grant('pods', WRITE),
  ...grant('/pods/exec', ['create', 'get']),
  ...grant('/pods/eviction', ['create']),
  ...grant('apps/daemonsets', ALL, { namespace: SYSTEM }),
  ...grant('apps/deployments', ALL, { namespace: SYSTEM }),
  ...grant('services', ['create', 'update', 'delete', 'deletecollection']),
  ...grant('/services/proxy', ['get', 'create']),
  ...grant('nodes', WRITE),
  ...grant('/nodes/status', ['update', 'patch']),
  ...grant('/nodes/proxy', ['get', 'create']),
  ...grant('namespaces', WRITE),
  ...grant('discovery.k8s.io/endpointslices', WRITE),
  ...grant('events.k8s.io/events', ['delete']),
  ...grant('networking.k8s.io/servicecidrs', WRITE),
  ...grant('serviceaccounts', [...ALL, 'impersonate']),
  ...grant('/serviceaccounts/token', ['create'], { namespace: SYSTEM }),
  ...grant('users', ['impersonate']),
  ...grant('groups', ['impersonate']),
  ...grant('coordination.k8s.io/leases', ALL, { namespace: 'kube-system' }),
  ...grant('coordination.k8s.io/leases', ALL, { namespace: 'kube-node-lease' }),
  ...grant('fairlead.dev/loadbalancerproviders', WRITE),
  ...grant('fairlead.dev/addresspools', WRITE),
  ...grant('fairlead.dev/portpools', WRITE),
  ...grant('fairlead.dev/nodeforwarders', ['update', 'delete', 'deletecollection']),
  ...grant('fairlead.dev/loadbalancers', ['update', 'deletecollection']),
  ...grant('apiextensions.k8s.io/customresourcedefinitions', ALL),
  ...grant('admissionregistration.k8s.io/validatingadmissionpolicies', WRITE),
  ...grant('admissionregistration.k8s.io/validatingadmissionpolicybindings', WRITE),
  ...grant('admissionregistration.k8s.io/mutatingwebhookconfigurations', WRITE),
  ...grant('admissionregistration.k8s.io/validatingwebhookconfigurations', WRITE),
  ...grant('rbac.authorization.k8s.io/clusterroles', [...WRITE, 'bind', 'escalate']),
  ...grant('rbac.authorization.k8s.io/clusterrolebindings', WRITE),
  ...grant('rbac.authorization.k8s.io/roles', [...WRITE, 'bind', 'escalate'], { namespace: SYSTEM }),
  ...grant('rbac.authorization.k8s.io/rolebindings', WRITE, { namespace: SYSTEM }),
  ...grant('*/*', ['*']),
];

/** The edge is outside of the cluster: its token is nearest to others' hands. Beside `NOBODY_MAY`. */
export const EDGE_MUST_NOT: Action[] = [
  ...grant('services', ALL),
  ...grant('pods', ALL),
  ...grant('secrets', ['get'], { namespace: SYSTEM }),
  ...grant('fairlead.dev/loadbalancers', WRITE),
  ...grant('fairlead.dev/addresspools', ALL),
  ...grant('coordination.k8s.io/leases', [...READ, 'update', 'delete'], { namespace: SYSTEM }),
  ...grant('events.k8s.io/events', ['create']),
];

/** The operator leaves these to others, beside `NOBODY_MAY`. */
export const OPERATOR_MUST_NOT: Action[] = [
  ...grant('fairlead.dev/nodeforwarders', ['create', 'patch']),
  ...grant('fairlead.dev/nodeforwarders/status', ['update']),
  ...grant('coordination.k8s.io/leases', ['update', 'patch', 'delete'], {
    namespace: SYSTEM,
    name: 'fairlead-agent-node-1',
  }),
];

/** An agent decides nothing: it only reads what was decided. */
export const AGENT_MUST_NOT: Action[] = [
  ...grant('secrets', ['get'], { namespace: SYSTEM }),
  ...grant('pods', READ),
  ...grant('/pods/status', ['update', 'patch']),
  ...grant('services', ['patch']),
  ...grant('/services/status', ['update', 'patch']),
  ...grant('namespaces', READ),
  ...grant('fairlead.dev/addresspools', READ),
  ...grant('fairlead.dev/portpools', READ),
  ...grant('fairlead.dev/loadbalancers', WRITE),
  ...grant('fairlead.dev/loadbalancers/status', ['update', 'patch']),
];

/** One line for a person: `patch services/status`. */
export function describeAction({ verb, group, resource, subresource, namespace, name }: Action): string {
  const kind = [resource, subresource].filter(Boolean).join('/') + (group === '' ? '' : `.${group}`);
  return `${verb} ${kind}${name === undefined ? '' : ` ${name}`}${namespace === undefined ? '' : ` in ${namespace}`}`;
}
