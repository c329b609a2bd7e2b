/** A column of `kubectl get`; `wide` ones show with `-o wide` only. */
export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'date' | 'boolean';
  jsonPath: string;
  description: string;
  wide?: boolean;
}

function column(
  name: string,
  type: PrinterColumn['type'],
  jsonPath: string,
  description: string,
): PrinterColumn {
  return { name, type, jsonPath, description };
}

function wide(...parts: Parameters<typeof column>): PrinterColumn {
  return { ...column(...parts), wide: true };
}

function ofReady(field: 'status' | 'reason' | 'message'): string {
  return `.status.conditions[?(@.type=="Ready")].${field}`;
}

const ready = column('Ready', 'string', ofReady('status'), 'Whether it works.');
const reason = column('Reason', 'string', ofReady('reason'), 'Why it is ready, or what holds it up.');
const message = wide('Message', 'string', ofReady('message'), 'The reason, as a sentence.');
const age = column('Age', 'date', '.metadata.creationTimestamp', 'Since when it exists.');

export const LOAD_BALANCER_PROVIDER_COLUMNS: PrinterColumn[] = [
  column('Type', 'string', '.status.type', 'Which member of the spec is set.'),
  column('Default', 'boolean', '.spec.default', 'Whether it serves Services without a loadBalancerClass.'),
  ready,
  reason,
  wide('Scheme', 'string', '.spec.scheme', 'Public or Internal.'),
  wide('Targets', 'string', '.spec.targets.mode', 'What traffic is sent to.'),
  wide('Load Balancers', 'integer', '.status.loadBalancers', 'How many load balancers it has.'),
  message,
  age,
];

export const ADDRESS_POOL_COLUMNS: PrinterColumn[] = [
  column('Addresses', 'string', '.spec.addresses', 'The CIDRs and ranges.'),
  column('Total', 'string', '.status.total', 'Addresses in the pool.'),
  column('Used', 'string', '.status.used', 'Addresses that are claimed.'),
  column('Free', 'string', '.status.free', 'Addresses left to give out.'),
  ready,
  reason,
  wide('Priority', 'integer', '.spec.priority', 'Higher is tried first.'),
  wide(
    'Auto Assign',
    'boolean',
    '.spec.autoAssign',
    'Whether Services get addresses from it without asking for it.',
  ),
  wide('Disabled', 'boolean', '.spec.disabled', 'Whether it gives out nothing new.'),
  message,
  age,
];

export const PORT_POOL_COLUMNS: PrinterColumn[] = [
  column('Node Ports', 'string', '.spec.nodePorts', 'Ranges inside the node port range of the cluster.'),
  column('Node Ports Free', 'integer', '.status.nodePorts.free', 'Node ports left to give out.'),
  column(
    'Forwarding Ports',
    'string',
    '.spec.forwardingPorts',
    'Ranges outside the node port range of the cluster.',
  ),
  column('Forwarding Free', 'integer', '.status.forwardingPorts.free', 'Forwarding ports left to give out.'),
  ready,
  reason,
  wide('Priority', 'integer', '.spec.priority', 'Higher is tried first.'),
  message,
  age,
];

export const LOAD_BALANCER_COLUMNS: PrinterColumn[] = [
  column('Service', 'string', '.spec.service.name', 'The Service that it is for.'),
  column('Provider', 'string', '.spec.provider.name', 'The LoadBalancerProvider that it comes from.'),
  // Of several values the API server would print the first only, without a hint at the others.
  column('Address', 'string', '.status.ingress[0].ip', 'The first address that it answers on.'),
  ready,
  reason,
  wide('Address 2', 'string', '.status.ingress[1].ip', 'The second, of the other family as a rule.'),
  wide(
    'Hostname',
    'string',
    '.status.ingress[0].hostname',
    'The name that it answers on, where the provider gives one.',
  ),
  wide('Healthy', 'integer', '.status.targets.healthy', 'Targets that answer health checks.'),
  wide('Provider ID', 'string', '.status.providerID', "The provider's own id."),
  message,
  age,
];

export const NODE_FORWARDER_COLUMNS: PrinterColumn[] = [
  column('Mode', 'string', '.status.mode', 'All or Own.'),
  column('Services', 'integer', '.status.services', 'Services that the node forwards.'),
  column('Announced', 'integer', '.status.announcedCount', 'Addresses that the node answers for.'),
  ready,
  reason,
  wide('Endpoints', 'integer', '.status.endpoints', 'Endpoints that it forwards to.'),
  wide(
    'Generation',
    'integer',
    '.status.generation',
    'Changes committed to the kernel since the agent started.',
  ),
  wide('Version', 'string', '.status.version', 'Of the agent.'),
  message,
  age,
];
