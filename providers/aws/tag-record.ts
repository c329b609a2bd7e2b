import { createHash } from 'node:crypto';
import { OWNER_TAGS } from './tags.ts';

/** 30 bits of a digest; as many as the 50 tags that a thing may have fit into the 256 characters of one's value. */
const WIDTH = 5;
const MOST = 256;

type Tags = Readonly<Record<string, string>>;

/** The tags that people ask for, and a tag that says which these are: so that one that nobody asks for any more can go. */
export function withRecord(tags: Tags = {}): Record<string, string> {
  const keys = Object.keys(tags).sort();
  if (keys.length === 0) return {};
  return { ...tags, [OWNER_TAGS.tags]: keys.map(digestOf).join('').slice(0, MOST) };
}

/** Whether we set this tag once, as the record among them says. */
export function isRecorded(tags: Tags, key: string): boolean {
  const record = tags[OWNER_TAGS.tags] ?? '';
  const digest = digestOf(key);
  for (let at = 0; at + WIDTH <= record.length; at += WIDTH) {
    if (record.slice(at, at + WIDTH) === digest) return true;
  }
  return false;
}

/** Of letters that AWS takes in the value of a tag. */
function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('base64').slice(0, WIDTH);
}
