import type { Provider } from '../provider.ts';
import { createAwsAccess } from './aws-access.ts';
import { buildModel } from './build-model.ts';
import type { AwsChange } from './changes.ts';
import { diffSubject } from './diff-subject.ts';
import type { AwsModel } from './model.ts';
import type { AwsObserved } from './observed.ts';
import { readAnnotations } from './read-annotations.ts';
import type { ScopesOptions } from './scope.ts';
import { tellStatus } from './status.ts';
import { validateAws } from './validate-aws.ts';

export type { AwsCallReport } from './call-aws.ts';

/** AWS Network Load Balancers, one a Service or one for several, on ELBv2 and EC2. */
export function createAwsProvider(options: ScopesOptions): Provider<AwsModel, AwsObserved, AwsChange> {
  return {
    type: 'aws',
    addressesFromPools: false,
    external: true,
    validate: validateAws,
    readOptions: readAnnotations,
    build: buildModel,
    diff: diffSubject,
    status: tellStatus,
    ...createAwsAccess(options),
  };
}
