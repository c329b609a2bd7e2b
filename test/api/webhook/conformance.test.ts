import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { CASES } from '../../../providers/webhook/conformance/cases.ts';
import { readConfig } from '../../../providers/webhook/conformance/config.ts';
import { type CaseResult, runCases } from '../../../providers/webhook/conformance/run-cases.ts';
import { CONTRACT_VERSION } from '../../../providers/webhook/contract.ts';
import { type FrontAnswer, type SeenRequest, WebhookFront } from '../../peers/webhook/front.ts';
import { SampleProcess } from '../../peers/webhook/sample-process.ts';

const FAIRLEAD = fileURLToPath(new URL('../../../cli/fairlead.ts', import.meta.url));
const PARAMETERS = JSON.stringify({ addresses: '192.0.2.10 192.0.2.11' });

describe('fairlead webhook-test', function () {
  this.timeout(60_000);
  let sample: SampleProcess;

  beforeEach(async () => {
    sample = await SampleProcess.start();
  });
  afterEach(async () => await sample.remove());

  it('finds nothing against the sample server, and leaves nothing behind', async () => {
    const child = spawn(
      process.execPath,
      [FAIRLEAD, 'webhook-test', `http://127.0.0.1:${sample.port}`, '--parameters', PARAMETERS],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(said).to.contain(`${CASES.length} passed, 0 failed`);
    expect(code).to.equal(0);
    expect(sample.device).to.deep.equal({});
  });

  it('finds nothing against it where it is told the addresses', async () => {
    const url = `http://127.0.0.1:${sample.port}`;
    const config = readConfig([url, '--pool', '192.0.2.20,192.0.2.21'], {});
    if (config === 'help') throw new Error('no help was asked for');
    const results = await runCases(config, () => {});
    expect(results.filter(({ problem }) => problem !== undefined)).to.deep.equal([]);
  });

  it('ends with 1 where the server does not keep to it, and says what it did', async () => {
    const child = spawn(process.execPath, [FAIRLEAD, 'webhook-test', `http://127.0.0.1:${sample.port}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(said).to.contain('NOT OK  takes the parameters');
    expect(said).to.contain('names no address');
    expect(code).to.equal(1);
  });

  it('ends with the first where nobody answers', async () => {
    await sample.kill();
    const child = spawn(process.execPath, [FAIRLEAD, 'webhook-test', `http://127.0.0.1:${sample.port}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(said).to.contain('ECONNREFUSED');
    expect(said).to.contain(`0 passed, 1 failed, ${CASES.length - 1} not run: the server can't be reached`);
    expect(code).to.equal(1);
  });

  describe('finds a server that', () => {
    let front: WebhookFront;

    beforeEach(async () => {
      front = await WebhookFront.start(sample);
    });
    afterEach(async () => await front.stop());

    const run = async (name: string): Promise<CaseResult[]> => {
      const config = readConfig([front.url, '--parameters', PARAMETERS, '--ready-within', '1'], {});
      if (config === 'help') throw new Error('no help was asked for');
      const cases = CASES.filter((each) => each.name === name);
      return await runCases(config, () => {}, cases);
    };
    const ask = async ({ operation, body }: SeenRequest, more: object): Promise<FrontAnswer> => {
      const answer = await fetch(`http://127.0.0.1:${sample.port}/v1/${operation}`, {
        method: 'POST',
        body: JSON.stringify({ ...body, ...more }),
      });
      return { status: answer.status, body: await answer.json() };
    };
    const idOf = ({ body }: SeenRequest) => (typeof body.id === 'object' ? body.id : {});

    it('listens elsewhere than it is told', async () => {
      front.interfere = (request) =>
        request.operation === 'apply'
          ? { body: { apiVersion: CONTRACT_VERSION, state: { ingress: [{ ip: '192.0.2.99' }] } } }
          : undefined;
      const config = readConfig([front.url, '--pool', '192.0.2.20,192.0.2.21'], {});
      if (config === 'help') throw new Error('no help was asked for');
      const cases = CASES.filter(({ name }) => name.startsWith('makes it, serves it'));
      const [result] = await runCases(config, () => {}, cases);
      expect(result?.problem).to.contain('it is told to listen at 192.0.2.20');
    });

    const faults: [name: string, found: string, interfere: WebhookFront['interfere']][] = [
      [
        'takes every version',
        'refuses a version that it does not know',
        (request) => ask(request, { apiVersion: CONTRACT_VERSION }),
      ],
      [
        'makes what is only planned',
        'plans a new one, and makes nothing by that',
        async (request) => {
          if (request.operation === 'plan' && idOf(request) !== undefined && 'id' in request.body) {
            await ask({ ...request, operation: 'apply' }, {});
          }
          return undefined;
        },
      ],
      [
        'does nothing of what it is told',
        'makes it, serves it, and has nothing left to plan',
        (request) =>
          request.operation === 'apply'
            ? { body: { apiVersion: CONTRACT_VERSION, state: { ingress: [{ ip: '192.0.2.10' }] } } }
            : undefined,
      ],
      [
        'makes another one each time',
        'does an operation twice as once',
        (request) => {
          if (request.operation !== 'apply') return undefined;
          const name = `web-${front.requests.length}.conformance`;
          return ask(request, { id: { ...idOf(request), name } });
        },
      ],
      [
        'deletes whosever it is',
        'takes nothing away for a Service that does not have it',
        async (request) => {
          if (request.operation === 'delete') sample.editDevice((device) => clear(device));
          return undefined;
        },
      ],
      [
        'forgets the Service of what it made',
        'finds it by its id, and among all of its cluster',
        (request) =>
          request.operation === 'apply'
            ? ask(request, { id: { ...idOf(request), serviceUid: 'lost' } })
            : undefined,
      ],
      [
        'never gets done with deleting',
        'takes it away, and says so again',
        (request) =>
          request.operation === 'delete'
            ? { body: { apiVersion: CONTRACT_VERSION, gone: false } }
            : undefined,
      ],
      [
        'passes over source ranges',
        'carries out what is asked for besides, or refuses it, and never passes over it',
        async (request) => {
          const { desired } = request.body;
          if (typeof desired !== 'object' || desired === null) return undefined;
          return await ask(request, { desired: { ...desired, sourceRanges: undefined } });
        },
      ],
      [
        'takes all providers for one',
        'keeps namespaces and LoadBalancerProviders apart',
        (request) =>
          request.operation === 'observe' && !('id' in request.body)
            ? ask(request, { provider: { name: 'conformance', parameters: {}, addresses: 'Server' } })
            : undefined,
      ],
      [
        'answers without a version',
        'takes the parameters',
        (request) => (request.operation === 'validate' ? { body: { findings: [] } } : undefined),
      ],
    ];
    for (const [name, found, interfere] of faults) {
      it(name, async () => {
        front.interfere = interfere;
        const results = await run(found);
        expect(results.map(({ problem }) => problem === undefined)).to.deep.equal([false]);
      });
    }
  });
});

function clear(device: Record<string, unknown>): void {
  for (const key of Object.keys(device)) delete device[key];
}
