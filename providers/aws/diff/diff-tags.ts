import type { AwsChange, TaggedThing } from '../changes.ts';
import { diffEntries, isEmpty } from './diff-fields.ts';

/** Tags that are missing or otherwise. Those that nobody asks for may be others', and stay. */
export function addTags(
  of: TaggedThing,
  found: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): AwsChange[] {
  const { entries, fields } = diffEntries('tags', found, wanted);
  if (isEmpty(entries)) return [];
  const summary = `Tag ${describe(of)}: ${Object.entries(entries)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')}`;
  return [{ action: 'Update', resource: of.kind, summary, fields, call: 'AddTags', of, tags: entries }];
}

function describe(of: TaggedThing): string {
  if (of.kind === 'SecurityGroup') return 'the security group';
  if (of.kind === 'Listener') return `listener ${of.port} of ${of.loadBalancer}`;
  return `${of.kind === 'LoadBalancer' ? 'load balancer' : 'target group'} ${of.name}`;
}
