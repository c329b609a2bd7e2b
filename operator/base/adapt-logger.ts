import type { OperatorLogger } from '@dot-i/k8s-operator';
import { type Logger, renderLine } from '../../kube/log.ts';

/** Makes a Logger of the base class's logger, which takes one text: the JSON line that the Logger would write. */
export function adaptLogger(target: OperatorLogger): Logger {
  if (isLogger(target)) return target;
  return new TextLogger(target, {});
}

class TextLogger implements Logger {
  readonly #target: OperatorLogger;
  readonly #fields: object;

  constructor(target: OperatorLogger, fields: object) {
    this.#target = target;
    this.#fields = fields;
  }

  debug(event: string, fields?: object): void {
    this.#target.debug(this.#render('debug', event, fields));
  }

  info(event: string, fields?: object): void {
    this.#target.info(this.#render('info', event, fields));
  }

  warn(event: string, fields?: object): void {
    this.#target.warn(this.#render('warn', event, fields));
  }

  error(event: string, fields?: object): void {
    this.#target.error(this.#render('error', event, fields));
  }

  child(fields: object): Logger {
    return new TextLogger(this.#target, { ...this.#fields, ...fields });
  }

  #render(level: string, event: string, fields: object | undefined): string {
    return renderLine(level, event, { ...this.#fields, ...fields });
  }
}

function isLogger(logger: OperatorLogger | Logger): logger is Logger {
  return 'child' in logger;
}
