import { object, objects, text } from './plain.ts';
import type { QueryService } from './service.ts';
import { escapeXml, parseXml } from './xml.ts';

/** An error of AWS, as it comes over the wire. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
  }
}

/** EC2 has a form of its own. https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html */
export function renderError(error: AwsError, service: QueryService | undefined, requestId: string): string {
  const code = escapeXml(error.code);
  const message = escapeXml(error.message);
  if (service?.name === 'ec2') {
    const inner = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
    return `<?xml version="1.0" encoding="UTF-8"?><Response><Errors>${inner}</Errors><RequestID>${requestId}</RequestID></Response>`;
  }
  const type = error.status < 500 ? 'Sender' : 'Receiver';
  const inner = `<Error><Type>${type}</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return `<ErrorResponse xmlns="${service?.namespace ?? ''}">${inner}<RequestId>${requestId}</RequestId></ErrorResponse>`;
}

/** What an answer of moto says that isn't a success; its crashes are web pages. */
export function readError(status: number, body: string): AwsError {
  if (!body.trimStart().startsWith('<') || /^\s*<(!doctype|html)/i.test(body)) {
    return new AwsError('InternalFailure', `moto answered ${status}: ${body.slice(0, 300)}`, 500);
  }
  const content = object(parseXml(body).content);
  const [listed] = objects(content.Errors);
  const error = listed ?? object(object(content.Errors).Error ?? content.Error);
  return new AwsError(text(error.Code) || 'InternalFailure', text(error.Message), status);
}
