import { randomUUID } from 'node:crypto';
import { list, object, type PlainObject } from '../plain.ts';
import { ok, type RestAnswer } from '../rest-answer.ts';

/** AS3 keeps so many that are over. */
const KEPT = 25;

interface Task {
  id: string;
  status: 'pending' | 'complete' | 'cancelled';
  declarationId: unknown;
  /** The body that a call without `async` would have had. */
  body: unknown;
}

/** Declarations in the background: /mgmt/shared/appsvcs/task. AS3 makes one for each declaration, also for those that wait. */
export class Tasks {
  #tasks: Task[] = [];

  start(declarationId: unknown): string {
    const task: Task = { id: randomUUID(), status: 'pending', declarationId, body: undefined };
    const over = this.#tasks.filter(({ status }) => status !== 'pending').slice(0, KEPT);
    this.#tasks = [task, ...this.#tasks.filter(({ status }) => status === 'pending'), ...over];
    return task.id;
  }

  finish(id: string, { body }: RestAnswer): void {
    const task = this.#tasks.find((one) => one.id === id);
    if (task?.status === 'pending') Object.assign(task, { status: 'complete', body });
  }

  /** After a restart: what was under way is never finished. */
  cancel(): void {
    for (const task of this.#tasks) if (task.status === 'pending') task.status = 'cancelled';
  }

  forget(): void {
    this.#tasks = [];
  }

  /** The 202 of a task that was just started. */
  accepted(id: string, declarationId: unknown): RestAnswer {
    const waiting = result('Declaration successfully submitted', declarationId);
    return { status: 202, body: { id, results: [waiting], declaration: {}, selfLink: linkTo(id) } };
  }

  get(id: string): RestAnswer {
    const task = this.#tasks.find((one) => one.id === id);
    if (task !== undefined) return ok(render(task));
    return { status: 404, body: { message: `No record found with ID of ${id}` } };
  }

  list(): RestAnswer {
    return ok({ items: this.#tasks.map(render) });
  }
}

function render({ id, status, declarationId, body }: Task): PlainObject {
  const answer = object(body);
  const unfinished = result(status === 'cancelled' ? 'task cancelled' : 'in progress', declarationId);
  return {
    id,
    results:
      status !== 'complete' ? [unfinished] : answer.results === undefined ? [body] : list(answer.results),
    declaration: status === 'complete' ? object(answer.declaration) : {},
    selfLink: linkTo(id),
  };
}

function result(message: string, declarationId: unknown): PlainObject {
  return {
    message,
    tenant: '',
    host: '',
    runTime: 0,
    code: 0,
    ...(declarationId !== undefined && { declarationId }),
  };
}

function linkTo(id: string): string {
  return `https://localhost/mgmt/shared/appsvcs/task/${id}`;
}
