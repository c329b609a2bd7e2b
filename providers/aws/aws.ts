import type { Provider } from '../provider.ts';
import { buildModel } from './build/build-model.ts';
import { createAwsAccess } from './calls/aws-access.ts';
import type { ScopesOptions } from './calls/scope.ts';
import type { AwsChange } from './changes.ts';
import { diffSubject } from './diff/diff-subject.ts';
import type { AwsModel } from './model.ts';
import type { AwsObserved } from './observed.ts';
import { readAnnotations } from './options/read-annotations.ts';
import { validateAws } from './options/validate-aws.ts';
import { tellStatus } from './status.ts';

export type { AwsCallReport } from './calls/call-aws.ts';

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
