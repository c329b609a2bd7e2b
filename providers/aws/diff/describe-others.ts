import type { AwsObserved, ObservedLoadBalancer } from '../observed.ts';
import { type Current, isHeld, mayReplace } from './choose-current.ts';

/**
 * What of others is in the way, as text; undefined: nothing is. What is left to do here goes by it: target groups of those that
 * share the stack no more, or may not, what the load balancer takes the place of, and targets that AWS refuses. It's made of what
 * is known after a restart, too, or is tried again then: listeners of others aren't.
 */
export function describeOthers(current: Current, observed: AwsObserved): string | undefined {
  const { former, model } = current;
  // One whose tag says that it's another's is told by its tag.
  const own = new Set(model.targetGroups.map(({ name }) => name));
  const held = observed.targetGroups
    .filter((group) => isHeld(model, group) && !own.has(group.name))
    .map(({ name }) => `target group ${name}`);
  const kept = former.filter((each) => isLeftTo(current, each)).map(({ name }) => `load balancer ${name}`);
  const leaving = [
    ...former.filter((each) => !isLeftTo(current, each)).map(({ name }) => `place of ${name}`),
    ...(observed.elsewhere ?? []).map(({ stack }) => `place in ${stack}`),
  ];
  const refused = observed.targetGroups
    .filter(({ name }) => own.has(name))
    .flatMap(({ name, refused: some = [] }) =>
      some.map(({ id, port }) => `${id}:${port} refused in ${name}`),
    );
  const all = [...held, ...kept, ...leaving, ...refused].sort();
  if (all.length === 0) return undefined;
  // What it leaves goes as soon as it serves.
  const serves = leaving.length === 0 ? [] : [`serves: ${mayReplace(current, observed)}`];
  return [...all, ...serves].join('; ');
}

/** Whether a former load balancer has nothing of this one any more, and is kept for others that may not come along. */
export function isLeftTo({ model }: Pick<Current, 'model'>, { listeners }: ObservedLoadBalancer): boolean {
  return (
    listeners.every(({ member }) => member !== model.member) && listeners.some((each) => isHeld(model, each))
  );
}
