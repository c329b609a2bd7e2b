import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { type WebhookConfig, webhookSchema } from '../../../crds/webhook-provider.ts';
import { ClassedError } from '../../../kube/errors.ts';
import type { AccessReaders } from '../../../providers/webhook/calls/read-access.ts';
import { type WebhookCall, WebhookClient } from '../../../providers/webhook/calls/webhook-client.ts';
import { CONTRACT_VERSION, LONGEST_ANSWER, OPERATIONS } from '../../../providers/webhook/contract.ts';
import { Authority } from '../../controlplane/certificates.ts';
import { freePort } from '../../controlplane/ports.ts';
import { ScriptedServer, sendJson } from '../../peers/scripted-server.ts';

const ASKER = {
  apiVersion: CONTRACT_VERSION,
  provider: { name: 'own', parameters: {}, addresses: 'Server' },
} as const;
const FINE = { apiVersion: CONTRACT_VERSION, findings: [] };
const GONE = { apiVersion: CONTRACT_VERSION, gone: true };
const ID = { clusterId: 'c', namespace: 'n', name: 'web.own', serviceUid: 'u' };
const never = new AbortController().signal;

describe('providers/webhook: requests to a server', () => {
  let secrets: Record<string, Record<string, string>>;
  let configMaps: Record<string, Record<string, string>>;
  let calls: WebhookCall[];
  let client: WebhookClient | undefined;

  const notFound = (name: string) =>
    new ClassedError(`${name} not found`, { class: 'NotFound', reason: 'NotFound' });
  const readers: AccessReaders = {
    readSecret: async (name) => {
      const found = secrets[name];
      if (found === undefined) throw notFound(name);
      return found;
    },
    readConfigMap: async (name) => {
      const found = configMaps[name];
      if (found === undefined) throw notFound(name);
      return found;
    },
  };
  const connect = (url: string, more: Partial<WebhookConfig> = {}) => {
    const config = webhookSchema.parse({ url, ...more });
    client = new WebhookClient({ config, readers, observe: (call) => calls.push(call) });
    return client;
  };
  const validate = async (asked: WebhookClient) => await asked.call(OPERATIONS.validate, ASKER, never);
  const failure = async (asked: WebhookClient): Promise<ClassedError> => {
    try {
      await validate(asked);
    } catch (error) {
      if (error instanceof ClassedError) return error;
      throw error;
    }
    throw new Error('it was answered');
  };

  beforeEach(() => {
    secrets = {};
    configMaps = {};
    calls = [];
  });
  afterEach(async () => {
    await client?.close();
    client = undefined;
  });

  describe('over HTTP', () => {
    let server: ScriptedServer;

    beforeEach(async () => {
      server = await ScriptedServer.start((_, response) => sendJson(response, 200, FINE));
    });
    afterEach(async () => await server.stop());

    it('go to the path below the address, as JSON', async () => {
      let seen: unknown;
      server.answer((request, response) => {
        const taken = text(request).then((sent) => {
          seen = { type: request.headers['content-type'], body: JSON.parse(sent) };
          sendJson(response, 200, FINE);
        });
        taken.catch(() => response.destroy());
      });
      await validate(connect(`${server.url}/base/`));
      expect(server.requests).to.deep.equal(['POST /base/v1/validate']);
      expect(seen).to.deep.equal({ type: 'application/json', body: ASKER });
      expect(calls.map(({ operation, code }) => [operation, code])).to.deep.equal([['validate', 'ok']]);
    });

    it('are given up after the time-out, once, and say how long it was', async () => {
      server.answer(() => {});
      const error = await failure(connect(server.url, { timeoutSeconds: 1 }));
      expect(error).to.include({ class: 'Transient', reason: 'Timeout' });
      expect(error.message).to.equal(`POST ${server.url}/v1/validate: no answer within 1000 ms`);
      expect(server.requests).to.have.length(1);
    });

    it('are given up where the answer begins and does not end', async () => {
      server.answer((_, response) => {
        response.writeHead(200);
        response.write('{');
      });
      expect((await failure(connect(server.url, { timeoutSeconds: 1 }))).reason).to.equal('Timeout');
    });

    it('end with the one who asked', async () => {
      server.answer(() => {});
      const stopping = new AbortController();
      const asked = connect(server.url).call(OPERATIONS.validate, ASKER, stopping.signal);
      stopping.abort();
      const error = await asked.then(
        () => undefined,
        (caught: unknown) => caught,
      );
      expect(error).to.not.equal(undefined);
    });

    it('are sent again where the connection breaks, with the same operationId', async () => {
      const ids: string[] = [];
      server.answer((request, response) => {
        const taken = text(request).then((sent) => {
          ids.push(JSON.parse(sent).operationId);
          if (ids.length < 3) request.socket.destroy();
          else sendJson(response, 200, GONE);
        });
        taken.catch(() => response.destroy());
      });
      const operationId = '0b6e1f9c-5b0f-4c86-9a55-3c3f3f0f4f11';
      const request = { ...ASKER, id: ID, operationId };
      const { gone } = await connect(server.url).call(OPERATIONS.delete, request, never);
      expect(gone).to.equal(true);
      expect(ids).to.deep.equal([operationId, operationId, operationId]);
    });

    it('are sent again where the server is busy, and as often as the provider says', async () => {
      server.answer((_, response) =>
        sendJson(response, 503, { apiVersion: CONTRACT_VERSION, reason: 'Busy', message: 'Later.' }),
      );
      const error = await failure(connect(server.url, { retries: 1 }));
      expect(error).to.include({ class: 'Transient', reason: 'Busy' });
      expect(server.requests).to.have.length(2);
      expect(calls.map(({ code }) => code)).to.deep.equal(['503', '503']);
    });

    const once: [name: string, code: number, headers: Record<string, string>][] = [
      ['the server is at fault', 500, {}],
      ['what is asked for is wrong', 422, {}],
      ['the server wants more patience than a turn has', 503, { 'retry-after': '60' }],
      ['it would have to go elsewhere', 307, { location: '/elsewhere' }],
    ];
    for (const [name, code, headers] of once) {
      it(`are sent once where ${name}`, async () => {
        server.answer((_, response) => sendJson(response, code, {}, headers));
        await failure(connect(server.url));
        expect(server.requests).to.deep.equal(['POST /v1/validate']);
      });
    }

    it('read no more of an answer than they can take', async () => {
      server.answer((_, response) => {
        response.writeHead(200);
        response.end('x'.repeat(LONGEST_ANSWER + 1));
      });
      const error = await failure(connect(server.url));
      expect(error).to.include({ class: 'Transient', reason: 'AnswerTooLong' });
    });

    it('wait for each other without losing the time for their own', async () => {
      let busy = 0;
      let most = 0;
      server.answer((_, response) => {
        busy += 1;
        most = Math.max(most, busy);
        setTimeout(() => {
          busy -= 1;
          sendJson(response, 200, FINE);
        }, 20);
      });
      const asked = connect(server.url);
      await Promise.all(Array.from({ length: 100 }, () => validate(asked)));
      expect(most).to.be.at.most(16).and.at.least(2);
    });

    it('carry the token of the Secret, and the new one once the server refuses the old one', async () => {
      secrets.own = { token: 'old\n' };
      const seen: (string | undefined)[] = [];
      server.answer((request, response) => {
        const { authorization } = request.headers;
        seen.push(authorization);
        const isGood = authorization !== 'Bearer old' || seen.length === 1;
        if (isGood) sendJson(response, 200, FINE);
        else
          sendJson(response, 401, { apiVersion: CONTRACT_VERSION, reason: 'Unauthorized', message: 'No.' });
      });
      const asked = connect(server.url, { credentials: { secretName: 'own' } });
      await validate(asked);
      secrets.own = { token: 'new' };
      await validate(asked);
      expect(seen).to.deep.equal(['Bearer old', 'Bearer old', 'Bearer new']);
    });

    it('tell of a token that is refused, and nothing of the token', async () => {
      secrets.own = { token: 'not-to-be-told' };
      server.answer((_, response) =>
        sendJson(response, 401, {
          apiVersion: CONTRACT_VERSION,
          reason: 'Unauthorized',
          message: 'Who is it?',
        }),
      );
      const error = await failure(connect(server.url, { credentials: { secretName: 'own' } }));
      expect(error.message).to.equal('Unauthorized: Who is it?');
      expect(error.retryAfterSeconds).to.equal(60);
      expect(server.requests).to.have.length(1);
    });

    it('tell nothing of the token where a page shows what it was sent', async () => {
      secrets.own = { token: 'not-to-be-told' };
      server.answer((request, response) => {
        response.writeHead(502);
        response.end(`<p>authorization: ${request.headers.authorization}</p>`);
      });
      const error = await failure(connect(server.url, { retries: 0, credentials: { secretName: 'own' } }));
      expect(error.message).to.contain('Bearer ***').and.to.not.contain('not-to-be-told');
    });

    const lacking: [name: string, data: Record<string, string> | undefined, said: string][] = [
      ['is not there', undefined, 'There is no Secret "own"'],
      ['is empty', {}, 'Secret "own" has neither token nor tls.crt.'],
      ['has no key', { 'tls.crt': 'x' }, 'Secret "own" has no tls.key.'],
      ['has a token of two lines', { token: 'a\nb' }, 'characters that no header can carry'],
    ];
    for (const [name, data, said] of lacking) {
      it(`are not sent while the Secret ${name}, which is told`, async () => {
        if (data !== undefined) secrets.own = data;
        const error = await failure(connect(server.url, { credentials: { secretName: 'own' } }));
        expect(error.message).to.contain(said);
        expect(error).to.include({ class: 'Transient', retryAfterSeconds: 30 });
        expect(server.requests).to.deep.equal([]);
      });
    }
  });

  it('tell that nobody is there, after they tried again', async () => {
    const port = await freePort('127.0.0.1');
    const error = await failure(connect(`http://127.0.0.1:${port}`));
    expect(error).to.include({ class: 'Transient', reason: 'ConnectionRefused' });
    expect(calls).to.have.length(3);
  });

  describe('over TLS', () => {
    let authority: Authority;
    let server: Server;
    let url: string;
    let peers: string[];

    const listen = async (options: ServerOptions = {}) => {
      peers = [];
      const own = await authority.issueServer('server', ['127.0.0.1', 'lb.example.com']);
      server = createServer({ ...own, ...options }, (request, response) => {
        const socket = request.socket as TLSSocket;
        peers.push(String(socket.getPeerCertificate().subject?.CN ?? 'nobody'));
        sendJson(response, 200, FINE);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    };

    before(async () => {
      authority = await Authority.create('own authority');
    });
    afterEach(async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });

    it('reach a server whose authority the Secret or the ConfigMap has', async () => {
      await listen();
      secrets.ca = { 'ca.crt': authority.cert };
      configMaps.ca = { 'ca.crt': authority.cert };
      await validate(connect(url, { tls: { caSecretName: 'ca' } }));
      await validate(connect(url, { tls: { caConfigMapName: 'ca', serverName: 'lb.example.com' } }));
      expect(peers).to.deep.equal(['nobody', 'nobody']);
    });

    const UNKNOWN = "the server's certificate is of an authority that isn't among those it is verified by";
    const untrusted: [name: string, tls: WebhookConfig['tls'] | undefined, said: string][] = [
      ['no authority is given', undefined, UNKNOWN],
      ['it is of another authority', { caSecretName: 'other' }, UNKNOWN],
      [
        'it is for another name',
        { caSecretName: 'ca', serverName: 'other.example.com' },
        "the server's certificate is for another name (Hostname/IP does not match",
      ],
    ];
    for (const [name, tls, said] of untrusted) {
      it(`reach no server whose certificate can't be verified, and say so: ${name}`, async () => {
        await listen();
        secrets.ca = { 'ca.crt': authority.cert };
        secrets.other = { 'ca.crt': (await Authority.create('another authority')).cert };
        const error = await failure(connect(url, tls === undefined ? {} : { tls }));
        expect(error).to.include({ class: 'Transient', reason: 'TlsFailed' });
        expect(error.message).to.contain(`POST ${url}/v1/validate: ${said}`);
        expect(peers).to.deep.equal([]);
      });
    }

    it('reach no server whose certificate has expired, and say so', async () => {
      await listen(await authority.issueServer('server', ['127.0.0.1'], 'before'));
      secrets.ca = { 'ca.crt': authority.cert };
      const error = await failure(connect(url, { tls: { caSecretName: 'ca' } }));
      expect(error.reason).to.equal('TlsFailed');
      expect(error.message).to.equal(`POST ${url}/v1/validate: the server's certificate has expired`);
    });

    it('say of a server without TLS that it has none', async () => {
      await listen();
      const plain = await ScriptedServer.start((_, response) => sendJson(response, 200, FINE));
      try {
        const error = await failure(connect(plain.url.replace('http:', 'https:')));
        expect(error.reason).to.equal('TlsFailed');
        expect(error.message).to.contain("the server doesn't speak TLS there");
      } finally {
        await plain.stop();
      }
    });

    it('show the client certificate of the Secret', async () => {
      await listen({ ca: authority.cert, requestCert: true, rejectUnauthorized: true });
      const { cert, key } = await authority.issueClient('fairlead', []);
      secrets.ca = { 'ca.crt': authority.cert };
      secrets.own = { 'tls.crt': cert, 'tls.key': key };
      await validate(connect(url, { tls: { caSecretName: 'ca' }, credentials: { secretName: 'own' } }));
      expect(peers).to.deep.equal(['fairlead']);
    });

    it('tell of authorities that are none', async () => {
      await listen();
      secrets.ca = { 'ca.crt': 'not a certificate' };
      const error = await failure(connect(url, { tls: { caSecretName: 'ca' } }));
      expect(error.message).to.equal('ca.crt of Secret "ca" holds no certificate in PEM.');
      const missing = await failure(connect(url, { tls: { caConfigMapName: 'ca' } }));
      expect(missing.message).to.contain('There is no ConfigMap "ca"');
    });
  });
});
