import type { KubeObject, Node, ObjectMeta } from './objects.ts';

/**
 * What caches keep of an object's metadata, of labels and annotations those named. Objects are built anew, since a field
 * deleted from a parsed object keeps its room.
 */
export function trimMeta(
  object: KubeObject,
  labels: readonly string[] = [],
  annotations: readonly string[] = [],
): ObjectMeta {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp } =
    object.metadata;
  return {
    name,
    ...given('namespace', namespace),
    ...given('uid', uid),
    ...given('resourceVersion', resourceVersion),
    ...given('generation', generation),
    ...given('creationTimestamp', creationTimestamp),
    ...given('deletionTimestamp', deletionTimestamp),
    ...given('labels', pick(object.metadata.labels, labels)),
    ...given('annotations', pick(object.metadata.annotations, annotations)),
  };
}

/** Of a Node, what targets are chosen by. Its status is large, and heartbeats change most of it. */
export function trimNode(node: Node): Node {
  const { spec, status } = node;
  return {
    metadata: { ...trimMeta(node), ...given('labels', node.metadata.labels) },
    ...given('spec', spec),
    status: { ...given('addresses', status?.addresses) },
  };
}

/** `{ [key]: value }`, or nothing where there is no value. */
export function given<K extends string, V>(key: K, value: V | undefined): { [k in K]?: V } | object {
  return value === undefined ? {} : { [key]: value };
}

function pick(all: Record<string, string> | undefined, names: readonly string[]) {
  const kept = names.flatMap((name) => {
    const value = all?.[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
