import { text } from 'node:stream/consumers';
import { ScriptedServer } from '../scripted-server.ts';
import type { SampleProcess } from './sample-process.ts';

/** What came in. */
export interface SeenRequest {
  /** `plan`, `apply`, ... */
  operation: string;
  body: Record<string, unknown>;
  authorization?: string | undefined;
}

export interface FrontAnswer {
  status?: number;
  /** An object is sent as JSON. */
  body: unknown;
  headers?: Record<string, string>;
}

/** In front of the sample server: writes down what is asked, and answers in its place where a test says so. */
export class WebhookFront {
  readonly #scripted: ScriptedServer;
  readonly requests: SeenRequest[] = [];
  /** What is answered in the place of the sample; undefined: the sample is asked. */
  interfere: (request: SeenRequest) => Promise<FrontAnswer | undefined> | FrontAnswer | undefined = () =>
    undefined;

  private constructor(scripted: ScriptedServer) {
    this.#scripted = scripted;
  }

  static async start(sample: SampleProcess): Promise<WebhookFront> {
    const scripted = await ScriptedServer.start(() => {});
    const front = new WebhookFront(scripted);
    scripted.answer((request, response, url) => {
      const handle = async () => {
        const sent = await text(request);
        const operation = url.pathname.replace('/v1/', '');
        const { authorization } = request.headers;
        const seen = { operation, body: JSON.parse(sent), authorization };
        front.requests.push(seen);
        const answer = await front.interfere(seen);
        if (answer !== undefined) {
          const { body, headers = {}, status = 200 } = answer;
          response.writeHead(status, headers);
          response.end(typeof body === 'string' ? body : JSON.stringify(body));
          return;
        }
        const target = `http://127.0.0.1:${sample.port}${url.pathname}`;
        const passed = await fetch(target, { method: 'POST', body: sent });
        response.writeHead(passed.status, { 'content-type': 'application/json' });
        response.end(await passed.text());
      };
      // A sample that is gone looks as a connection that breaks.
      handle().catch(() => response.destroy());
    });
    return front;
  }

  get url(): string {
    return this.#scripted.url;
  }

  count(operation: string): number {
    return this.requests.filter((each) => each.operation === operation).length;
  }

  async stop(): Promise<void> {
    await this.#scripted.stop();
  }
}
