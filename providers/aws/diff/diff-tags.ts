import type { AwsChange, TaggedThing } from '../changes.ts';
import { isRecorded } from '../tag-record.ts';
import { OWNER_TAGS } from '../tags.ts';
import { describeFields, diffEntries, diffField, isEmpty } from './diff-fields.ts';

/**
 * Tags that are missing or otherwise, after those that we set and nobody asks for any more: once the record of them says
 * otherwise, nobody knows whose they are. Those that we never set are others', and stay.
 */
export function diffTags(
  of: TaggedThing,
  found: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): AwsChange[] {
  return [...removeTags(of, found, wanted), ...addTags(of, found, wanted)];
}

function removeTags(
  of: TaggedThing,
  found: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): AwsChange[] {
  const keys = Object.keys(found).filter(
    (key) => !(key in wanted) && (key === OWNER_TAGS.tags || isRecorded(found, key)),
  );
  if (keys.length === 0) return [];
  const fields = keys.flatMap((key) => diffField(`tags.${key}`, found[key], undefined));
  const summary = `Untag ${describe(of)}: ${describeFields(fields)}`;
  return [{ action: 'Update', resource: of.kind, summary, fields, call: 'RemoveTags', of, keys }];
}

function addTags(
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
