import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { SyncedState } from '../cluster.ts';
import { Unanswered } from '../front.ts';
import { isObject, object, type PlainObject, text } from '../plain.ts';
import { ok, type RestAnswer } from '../rest-answer.ts';
import type { BigIpTimes } from '../settings.ts';
import { As3Settings, isAtLeast } from './as3-settings.ts';
import { deploy } from './deploy.ts';
import { readDeclaration, toPerApp } from './read-declaration.ts';
import {
  checkQuery,
  type DeclareCall,
  plainError,
  readPerAppPath,
  readWork,
  type Work,
} from './read-request.ts';
import type { SchemaCheck } from './schema-check.ts';
import { Tasks } from './tasks.ts';

/** AS3's lock on a device ends by itself after so long when nobody frees it. */
const LOCK_MS = 120_000;

/** What became of a declaration that was under way when the device restarted. */
export type InFlight = 'lost' | 'applied' | 'unsaved';

export interface As3Options {
  state: SyncedState;
  clock: Clock;
  times: BigIpTimes;
  version: string;
  perApp: boolean;
  schema: SchemaCheck;
  /** After each change; `syncTo`: the group that an AS3 request names. */
  changed: (syncTo: string) => void;
}

/** F5's Application Services 3 on a unit: /mgmt/shared/appsvcs. */
export class As3 {
  readonly tasks = new Tasks();
  readonly settings: As3Settings;
  /** So many more declarations find another one under way. */
  busy = 0;
  readonly #options: As3Options;
  #lockedUntil = 0;
  #running: { work: Work; waiting: AbortController } | undefined;

  constructor(options: As3Options) {
    this.#options = options;
    this.settings = new As3Settings(options.version, options.perApp);
  }

  /** Below /mgmt/shared/appsvcs. */
  async answer(segments: readonly string[], call: Omit<DeclareCall, 'segments'>): Promise<RestAnswer> {
    const [endpoint, ...rest] = segments;
    const { version } = this.#options;
    switch (endpoint) {
      case 'info':
        return ok({ version, release: '10', schemaCurrent: version, schemaMinimum: '3.0.0' });
      case 'settings':
        return this.settings.answer(call.method, call.body);
      case 'task':
        return rest[0] === undefined ? this.tasks.list() : this.tasks.get(rest[0]);
      case 'declare':
        return await this.#declare({ ...call, segments: rest });
      default:
        return plainError(400, `https://localhost/mgmt/shared/appsvcs/${segments.join('/')}: Bad Request`);
    }
  }

  /** The task of a restart: what is under way ends as the test says, and tasks with it. */
  restart(inFlight: InFlight, keepLock: boolean): void {
    const running = this.#running;
    this.#running = undefined;
    this.#lockedUntil = running !== undefined && keepLock ? this.#options.clock.now() + LOCK_MS : 0;
    if (running !== undefined) {
      if (inFlight !== 'lost') this.#execute(running.work, inFlight === 'applied', this.#options.clock.now());
      running.waiting.abort();
    }
    if (this.settings.storesTasksInMemory) this.tasks.forget();
    else this.tasks.cancel();
  }

  /** The declaration that is under way takes no longer. */
  finish(): void {
    this.#running?.waiting.abort(DONE);
  }

  /** Nothing goes on after this. */
  stop(): void {
    this.#running?.waiting.abort();
  }

  /** Is a declaration under way? */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  async #declare(call: DeclareCall): Promise<RestAnswer> {
    const perApp = readPerAppPath(call.segments);
    if (perApp !== undefined && !this.settings.knowsPerApp) {
      return call.method === 'GET'
        ? plainError(404, `specified Tenant(s) '${call.segments.join('/')}' not found in declaration`)
        : plainError(422, "Invalid request: /declaration: should have required property 'class'");
    }
    if (perApp !== undefined && !this.settings.allowsPerApp) {
      return plainError(400, 'Error: Per-application deployment has been disabled on the settings endpoint');
    }
    const wrongQuery = checkQuery(call);
    if (call.method === 'GET') return wrongQuery ?? this.#read(call);
    if (call.method !== 'DELETE' && call.body === undefined) {
      return plainError(400, 'cannot parse JSON POST payload (Unexpected end of JSON input)');
    }
    const work = wrongQuery ?? readWork(call, this.#options.version);
    if ('status' in work) return work;
    return await this.#start(work, call.query.get('async')?.toLowerCase() === 'true');
  }

  #read(call: DeclareCall): RestAnswer {
    const { schema, state } = this.#options;
    const isBase = !/^(full|expanded)$/i.test(call.query.get('show') ?? '');
    return readDeclaration(isBase ? state.declarations : state.declarations.map(schema.fillIn), call);
  }

  async #start(work: Work, isAsync: boolean): Promise<RestAnswer> {
    const { id: declarationId } = work.declaration;
    const task = this.tasks.start(declarationId);
    const done = this.#run(work);
    // A call whose client no longer waits, or was cut off, has nobody to tell of a restart.
    const kept = done.then(
      (answer) => this.tasks.finish(task, answer),
      () => {},
    );
    if (isAsync) return this.tasks.accepted(task, declarationId);
    const ended = new AbortController();
    const swap = sleep(this.#options.times.swapToAsync, undefined, {
      signal: ended.signal,
      ref: false,
    }).catch(() => undefined);
    const answer = await Promise.race([done, swap]);
    ended.abort();
    if (answer === undefined) return this.tasks.accepted(task, declarationId);
    await kept;
    return toClient(work, answer);
  }

  async #run(work: Work): Promise<RestAnswer> {
    const { times, clock, schema } = this.#options;
    const tooNew = work.kind === 'deploy' ? this.#checkVersion(work.declaration.schemaVersion) : undefined;
    if (tooNew !== undefined) return tooNew;
    const unknown = work.kind === 'deploy' ? schema.findUnknown(work.declaration) : undefined;
    if (unknown !== undefined) return plainError(422, `Invalid data property: ${unknown}`);
    if (work.perApp !== undefined && work.kind === 'deploy') {
      const errors = schema.checkPerApp(work.sent);
      if (errors.length > 0)
        return { status: 422, body: { code: 422, errors, message: 'declaration is invalid' } };
    }
    if (this.busy > 0) {
      this.busy--;
      return busyAnswer(work);
    }
    if (this.#running !== undefined || clock.now() < this.#lockedUntil) return busyAnswer(work);
    const running = { work, waiting: new AbortController() };
    this.#running = running;
    const startedAt = clock.now();
    try {
      const changes = times.perChange > 0 ? this.#countChanges(work) : 0;
      const ms = times.declaration + times.perChange * changes;
      if (ms > 0) await waitFor(ms, running.waiting.signal);
      return this.#execute(work, true, startedAt);
    } finally {
      if (this.#running === running) this.#running = undefined;
    }
  }

  /** A declaration for a newer AS3 than this one. */
  #checkVersion(declared: unknown): RestAnswer | undefined {
    const [, minor] = /^3\.(\d+)/.exec(text(declared)) ?? [];
    if (minor === undefined || isAtLeast(this.#options.version, Number(minor))) return undefined;
    const errors = ['/schemaVersion: should be equal to one of the allowed values'];
    return { status: 422, body: { code: 422, errors, message: 'declaration is invalid' } };
  }

  #execute(work: Work, save: boolean, startedAt: number): RestAnswer {
    const { state, clock, schema, changed } = this.#options;
    const { answer, changes } = deploy(state, work, { clock, schema, startedAt, save });
    if (!work.dryRun && (changes > 0 || answer.status < 400)) changed(work.syncTo);
    return answer;
  }

  #countChanges(work: Work): number {
    const { state, clock, schema } = this.#options;
    return deploy(state, { ...work, dryRun: true }, { clock, schema, startedAt: clock.now(), save: false })
      .changes;
  }
}

/** The reason of a wait that is long enough. */
const DONE = 'done';

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    if (signal.reason !== DONE) throw new Unanswered('the device restarted');
  }
}

/** Whoever called per application sees no tenants; a task keeps the declaration as it is kept. */
function toClient({ perApp, kind }: Work, answer: RestAnswer): RestAnswer {
  const { declaration, ...rest } = object(answer.body);
  if (perApp === undefined || kind !== 'deploy' || !isObject(declaration)) return answer;
  if (object(declaration[perApp.tenant]).class !== 'Tenant') return answer;
  return {
    ...answer,
    body: { ...rest, declaration: toPerApp(declaration, perApp.tenant, perApp.applications) },
  };
}

function busyAnswer({ declaration, tenants, perApp }: Work): RestAnswer {
  const named = perApp === undefined ? tenants : [perApp.tenant];
  const body: PlainObject = {
    code: 503,
    message: 'Error: Configuration operation in progress on device localhost, please try again in 2 minutes',
    host: 'localhost',
    ...(named.length === 1 && { tenant: named }),
    declarationId: declaration.id,
  };
  return { status: 503, body };
}
