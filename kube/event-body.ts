import { createHash, randomBytes } from 'node:crypto';
import { truncateMessage } from './conditions.ts';
import { microTime } from './lease-times.ts';
import type { KubeObject, ObjectReference } from './objects.ts';

/** `events.k8s.io/v1` Event, the parts that we write. */
export interface EventBody {
  apiVersion: 'events.k8s.io/v1';
  kind: 'Event';
  metadata: { name: string; namespace: string };
  eventTime: string;
  reportingController: string;
  reportingInstance: string;
  action: string;
  reason: string;
  regarding: ObjectReference;
  note: string;
  type: 'Normal' | 'Warning';
}

export interface EventInput {
  regarding: KubeObject;
  type: 'Normal' | 'Warning';
  reason: string;
  note: string;
  action: string;
  component: string;
  instance: string;
  now: Date;
  /** Named after what it says: whoever says the same again finds it there. @default a name of its own */
  shared?: boolean;
}

/** The API server refuses more (`pkg/apis/core/validation/events.go`): bytes for the note, characters for the rest. */
const LONGEST_NOTE = 1024;
const LONGEST_WORD = 128;
const LONGEST_NAME = 253;

/** The Event, fitted to the limits of the API. Of a cluster-scoped object it goes into the namespace `default`. */
export function buildEvent(input: EventInput): EventBody {
  const { apiVersion, kind, metadata } = input.regarding;
  const suffix = `.${input.shared === true ? hashOf(input) : randomBytes(8).toString('hex')}`;
  const namespace = metadata.namespace;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: {
      name: `${metadata.name.slice(0, LONGEST_NAME - suffix.length)}${suffix}`,
      namespace: namespace ?? 'default',
    },
    eventTime: microTime(input.now),
    reportingController: input.component,
    reportingInstance: input.instance.slice(0, LONGEST_WORD),
    action: input.action.slice(0, LONGEST_WORD),
    reason: input.reason.slice(0, LONGEST_WORD),
    regarding: {
      apiVersion: apiVersion ?? '',
      kind: kind ?? '',
      name: metadata.name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    },
    note: truncateBytes(input.note, LONGEST_NOTE),
    type: input.type,
  };
}

function hashOf({ regarding, type, reason, note, action, component }: EventInput): string {
  const said = JSON.stringify([regarding.metadata.uid, type, reason, note, action, component]);
  return createHash('sha256').update(said).digest('hex').slice(0, 16);
}

function truncateBytes(text: string, longest: number): string {
  let cut = truncateMessage(text, longest);
  while (Buffer.byteLength(cut) > longest) cut = truncateMessage(text, Math.floor(cut.length * 0.9));
  return cut;
}
