import { buildModel } from '../../../../../providers/aws/build/build-model.ts';
import { diffModel } from '../../../../../providers/aws/diff/diff-model.ts';
import type { AwsModel } from '../../../../../providers/aws/model.ts';
import { memberOf } from '../../../../../providers/aws/stack-of.ts';
import type { DesiredLoadBalancer } from '../../../../../providers/provider.ts';
import type { AwsPicture } from './aws-picture.ts';

/** More turns than any change should need: one that goes on after that goes on forever. */
const MOST_TURNS = 12;

export interface ConvergeOptions {
  /** Called after each change. */
  after?: () => void;
  /** How many changes of a turn are carried out before it's cut off; all without it. */
  cutAfter?: (turn: number) => number | undefined;
}

/** Turn after turn, as the operator does it, until nothing is left to do. Answers the changes of each turn by their summaries. */
export function converge(
  aws: AwsPicture,
  desired: DesiredLoadBalancer,
  options: ConvergeOptions = {},
): string[][] {
  return run(aws, memberOf(desired), () => buildModel(desired), options);
}

/** The same, for one that nobody wants any more. */
export function remove(
  aws: AwsPicture,
  desired: DesiredLoadBalancer,
  options: ConvergeOptions = {},
): string[][] {
  return run(aws, memberOf(desired), () => undefined, options);
}

function run(
  aws: AwsPicture,
  member: string,
  modelNow: () => AwsModel | undefined,
  { after, cutAfter }: ConvergeOptions,
): string[][] {
  const turns: string[][] = [];
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const changes = diffModel(modelNow(), aws.observe(member));
    if (changes.length === 0) return turns;
    const cut = cutAfter?.(turn) ?? changes.length;
    for (const change of changes.slice(0, cut)) {
      aws.apply(change);
      after?.();
    }
    aws.settle();
    turns.push(changes.map(({ summary }) => summary));
  }
  throw new Error(`not done after ${MOST_TURNS} turns; the last one: ${turns.at(-1)?.join('; ')}`);
}
