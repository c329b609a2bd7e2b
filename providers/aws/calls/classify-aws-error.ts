import { codeOf, errorOfFailure, isRecord } from '../../../kube/classify-error.ts';
import { ClassedError, type ErrorClass } from '../../../kube/errors.ts';
import { type FailedCall, KNOWN_ERRORS } from './aws-error-table.ts';
import { OPERATIONS, type OperationName } from './operations.ts';

/** Whether doing the same call again may help. */
export type Retry =
  | 'no'
  /** AWS asks for patience. */
  | 'throttled'
  /** 5xx, time-outs, lost connections: maybe it was done, maybe not. */
  | 'passing'
  /** Something isn't there; of use when it was made just now and isn't known everywhere at AWS yet. */
  | 'missing'
  /** It's denied for tags that AWS may not know yet: of something that was made just now. */
  | 'untagged';

export interface Classified {
  error: ClassedError;
  retry: Retry;
}

const LONGEST_MESSAGE = 500;

/** What came of a call of AWS in the place of an answer, with AWS' code as `reason`. */
export function classifyAwsError(failure: unknown, operation: OperationName): Classified {
  if (failure instanceof ClassedError)
    return { error: failure, retry: failure.class === 'Transient' ? 'passing' : 'no' };
  const answer = readAnswer(failure);
  if (answer === undefined) return classifyLost(failure, operation);
  const { code, status } = answer;
  const call: FailedCall = { operation, action: actionOf(operation), message: answer.message };
  const known = KNOWN_ERRORS[code];
  if (known !== undefined) {
    const message = known.say?.(call) ?? `${operation}: ${answer.message}`;
    const error = new ClassedError(message, {
      class: known.class,
      code: status,
      reason: code,
      retryAfterSeconds: known.retryAfterSeconds,
      cause: failure,
    });
    return { error, retry: retryOf(known.class, code) };
  }
  const errorClass = classOf(code, status);
  const error = new ClassedError(`${operation}: ${answer.message}`, {
    class: errorClass,
    code: status,
    reason: code,
    cause: failure,
  });
  return { error, retry: retryOf(errorClass, code, errorClass === 'Transient') };
}

/** `elasticloadbalancing:CreateLoadBalancer`, as policies name it. */
export function actionOf(operation: OperationName): string {
  return `${OPERATIONS[operation].service}:${operation}`;
}

function retryOf(errorClass: ErrorClass, code: string, passing = false): Retry {
  if (errorClass === 'Throttled') return 'throttled';
  if (passing) return 'passing';
  // A security group that was made a moment ago may be unknown to ELBv2 still.
  return errorClass === 'NotFound' || code === 'InvalidSecurityGroup' ? 'missing' : 'no';
}

function classOf(code: string, status: number | undefined): ErrorClass {
  if (status === 429) return 'Throttled';
  if (status !== undefined && status >= 500) return 'Transient';
  if (/NotFound$/.test(code)) return 'NotFound';
  return 'Rejected';
}

interface Answer {
  code: string;
  message: string;
  status: number | undefined;
}

/** The SDK's ServiceException; anything else didn't come from AWS. */
function readAnswer(failure: unknown): Answer | undefined {
  if (!(failure instanceof Error) || !('$fault' in failure)) return undefined;
  const metadata = '$metadata' in failure && isRecord(failure.$metadata) ? failure.$metadata : {};
  const status = typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
  const code = failure.name.replace(/Exception$/, '');
  const message = failure.message.slice(0, LONGEST_MESSAGE);
  return { code: code === '' ? 'Unknown' : code, message: message === '' ? code : message, status };
}

function classifyLost(failure: unknown, operation: OperationName): Classified {
  if (failure instanceof Error && /^(CredentialsProvider|TokenProvider|ProviderError)/.test(failure.name)) {
    const message = `There are no credentials for AWS: ${failure.message.slice(0, LONGEST_MESSAGE)}`;
    const error = new ClassedError(message, {
      class: 'Transient',
      reason: 'NoCredentials',
      retryAfterSeconds: 60,
      cause: failure,
    });
    return { error, retry: 'no' };
  }
  const lost = errorOfFailure(failure, operation);
  const refused = codeOf(failure) === undefined && failure instanceof TypeError;
  return { error: lost, retry: refused ? 'no' : 'passing' };
}
