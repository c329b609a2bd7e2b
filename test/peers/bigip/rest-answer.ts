/** What a unit answers. `body` of undefined: none at all. */
export interface RestAnswer {
  status: number;
  body: unknown;
}

export function ok(body: unknown): RestAnswer {
  return { status: 200, body };
}

let operations = 4_000_000;

/** As restjavad says it, before anything of the device itself was asked. */
export function frameworkError(status: number, message: string): RestAnswer {
  return {
    status,
    body: {
      code: status,
      message,
      referer: '127.0.0.1',
      restOperationId: operations++,
      kind: ':resterrorresponse',
    },
  };
}

/** As the device's configuration (mcpd) says it. */
export function configurationError(status: number, message: string): RestAnswer {
  return { status, body: { code: status, message, errorStack: [], apiError: 3 } };
}

/** Thrown where a refusal is found deeper down. */
export class Refusal extends Error {
  readonly answer: RestAnswer;

  constructor(answer: RestAnswer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}
