import type { KubeObject } from '../../../../kube/objects.ts';
import type { ResourceType } from '../../../../kube/resources.ts';

/** One object for the API server, and what it is to say about it. */
export interface Case {
  /** Continues "accepts" or "refuses". */
  name: string;
  metadata?: { name?: string; generateName?: string };
  spec: unknown;
  /** Written in the place of `spec` once the object is there: a case of an update. */
  update?: unknown;
  /** A part of the refusal that a person reads; absent: it is accepted. */
  refused?: string;
}

export interface CaseTable {
  type: ResourceType<KubeObject>;
  cases: Case[];
}
