import type { Change, FieldChange } from '../provider.ts';
import type { Desired, PlannedChange } from './contract.ts';
import type { WebhookModel, WebhookObserved } from './observed.ts';

/** All that a server would do, as one step: it is the server that does it, in its own order. */
export interface WebhookChange extends Change {
  /** undefined: it is taken away. */
  desired: Desired | undefined;
}

/** What doesn't fit into a condition. */
const SHOWN_CHANGES = 16;
const SHOWN_FIELDS = 64;

/** Nothing, or one change; `model` is undefined for what is to go. */
export function diffWebhook(
  model: WebhookModel | undefined,
  { changes, exists }: WebhookObserved,
): WebhookChange[] {
  if (model === undefined) return exists ? [REMOVAL] : [];
  if (changes.length === 0) return [];
  const fields = gatherFields(changes);
  return [
    {
      action: changes.every(({ action }) => action === 'Create') ? 'Create' : 'Update',
      resource: oneResource(changes) ?? 'LoadBalancer',
      summary: gatherSummaries(changes),
      ...(fields === undefined ? {} : { fields }),
      desired: model.desired,
    },
  ];
}

const REMOVAL: WebhookChange = {
  action: 'Delete',
  resource: 'LoadBalancer',
  summary: 'Delete the load balancer',
  desired: undefined,
};

function gatherSummaries(changes: readonly PlannedChange[]): string {
  const shown = changes.slice(0, SHOWN_CHANGES).map(({ summary }) => summary);
  const more = changes.length - shown.length;
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

/** Where each change names its fields, these say it all. */
function gatherFields(changes: readonly PlannedChange[]): FieldChange[] | undefined {
  if (changes.some(({ fields = [] }) => fields.length === 0)) return undefined;
  const isOne = oneResource(changes) !== undefined;
  return changes
    .flatMap(({ resource, fields = [] }) =>
      fields.map((each) => (isOne ? each : { ...each, field: `${resource} ${each.field}` })),
    )
    .slice(0, SHOWN_FIELDS);
}

function oneResource(changes: readonly PlannedChange[]): string | undefined {
  const resources = new Set(changes.map(({ resource }) => resource));
  return resources.size === 1 ? changes[0]?.resource : undefined;
}
