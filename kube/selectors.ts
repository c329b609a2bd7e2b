import type { LabelSelector, LabelSelectorRequirement } from './objects.ts';

/**
 * Whether labels match (`metav1.LabelSelector`): every requirement must hold. An undefined selector and an empty one
 * match all. `NotIn` holds for an absent key, as in Kubernetes.
 */
export function matchesSelector(
  selector: LabelSelector | null | undefined,
  labels: Readonly<Record<string, string>> | null | undefined,
): boolean {
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    if (labelOf(labels, key) !== value) return false;
  }
  return (selector?.matchExpressions ?? []).every((requirement) =>
    holds(requirement, labelOf(labels, requirement.key)),
  );
}

function holds(requirement: LabelSelectorRequirement, value: string | undefined): boolean {
  switch (requirement.operator) {
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'In':
      return value !== undefined && (requirement.values ?? []).includes(value);
    case 'NotIn':
      return value === undefined || !(requirement.values ?? []).includes(value);
    default:
      // An operator of a later Kubernetes: nothing matches what isn't understood.
      return false;
  }
}

function labelOf(
  labels: Readonly<Record<string, string>> | null | undefined,
  key: string,
): string | undefined {
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
}
