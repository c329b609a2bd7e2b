import { createLogger as createWinston, format, transports, type Logger as Winston } from 'winston';
import { ClassedError } from './errors.ts';

/** One event name, CamelCase or a few words, the same each time; what varies goes into the fields. */
export interface Logger {
  debug(event: string, fields?: object): void;
  info(event: string, fields?: object): void;
  warn(event: string, fields?: object): void;
  error(event: string, fields?: object): void;
  /** A logger that adds these fields to each line. */
  child(fields: object): Logger;
}

export interface LoggerOptions {
  /** `debug`, `info`, `warn` or `error`. @default info */
  level?: string | undefined;
  component: string;
}

const DEEPEST_CAUSE = 5;

/** JSON lines on stdout: `{"time","level","component","event",...fields}`; errors among the fields are spelled out. */
export function createLogger(options: LoggerOptions): Logger {
  const winston = createWinston({
    level: options.level ?? 'info',
    format: format.printf((info) => renderLine(info.level, info.message, info.fields)),
    transports: [new transports.Console()],
  });
  return new FieldLogger(winston, { component: options.component });
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

class FieldLogger implements Logger {
  readonly #winston: Winston;
  readonly #fields: object;

  constructor(winston: Winston, fields: object) {
    this.#winston = winston;
    this.#fields = fields;
  }

  debug(event: string, fields?: object): void {
    this.#write('debug', event, fields);
  }

  info(event: string, fields?: object): void {
    this.#write('info', event, fields);
  }

  warn(event: string, fields?: object): void {
    this.#write('warn', event, fields);
  }

  error(event: string, fields?: object): void {
    this.#write('error', event, fields);
  }

  child(fields: object): Logger {
    return new FieldLogger(this.#winston, { ...this.#fields, ...fields });
  }

  #write(level: string, event: string, fields: object | undefined): void {
    if (!this.#winston.isLevelEnabled(level)) return;
    this.#winston.log({ level, message: event, fields: { ...this.#fields, ...fields } });
  }
}

/** One log line; never throws, whatever the fields hold. */
export function renderLine(level: string, event: unknown, fields: unknown, now = new Date()): string {
  const head = { time: now.toISOString(), level, event };
  try {
    return JSON.stringify({ ...head, ...(typeof fields === 'object' ? fields : { fields }) }, renderValue);
  } catch (error) {
    return JSON.stringify({ ...head, unrenderable: String(error) });
  }
}

function renderValue(_key: string, value: unknown): unknown {
  if (value instanceof Error) return renderError(value, 0);
  return typeof value === 'bigint' ? value.toString() : value;
}

function renderError(error: Error, depth: number): object {
  const classed =
    error instanceof ClassedError ? { class: error.class, reason: error.reason, code: error.code } : {};
  const cause =
    error.cause instanceof Error && depth < DEEPEST_CAUSE
      ? { cause: renderError(error.cause, depth + 1) }
      : error.cause === undefined
        ? {}
        : { cause: String(error.cause) };
  // Of a classed error the stack tells nothing that the message doesn't; of any other it is the way to the bug.
  const stack = error instanceof ClassedError || depth > 0 ? {} : { stack: error.stack };
  return { ...classed, name: error.name, message: error.message, ...stack, ...cause };
}
