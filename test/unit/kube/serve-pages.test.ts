import { expect } from 'chai';
import { silentLogger } from '../../../kube/log.ts';
import { serve, type WebServer } from '../../../kube/serve-pages.ts';
import { OperatorMetrics } from '../../../operator/web/metrics.ts';
import { healthPages, metricsPages } from '../../../operator/web/pages.ts';

describe('operator/web', () => {
  let server: WebServer;
  let waitsFor: string | null;
  const metrics = new OperatorMetrics();

  before(async () => {
    const broken = () => {
      throw new Error('broken');
    };
    server = await serve(
      { ...healthPages(() => waitsFor), ...metricsPages(metrics), '/broken': broken },
      { port: 0, address: '127.0.0.1', log: silentLogger },
    );
  });
  after(() => server.close());
  beforeEach(() => {
    waitsFor = null;
  });

  async function get(path: string, method = 'GET') {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return { status: response.status, body: await response.text(), headers: response.headers };
  }

  it('is alive and ready', async () => {
    expect(await get('/healthz')).to.include({ status: 200, body: 'ok\n' });
    expect(await get('/readyz?verbose')).to.include({ status: 200, body: 'ok\n' });
  });

  it('says what it waits for when it is not ready, and is alive all the same', async () => {
    waitsFor = 'taking in claims';

    expect(await get('/readyz')).to.include({ status: 503, body: 'taking in claims\n' });
    expect(await get('/healthz')).to.include({ status: 200 });
  });

  it('changes nothing for anyone', async () => {
    const refused = await get('/healthz', 'POST');

    expect(refused.status).to.equal(405);
    expect(refused.headers.get('allow')).to.equal('GET, HEAD');
  });

  it('knows no other path, nor those that every object has', async () => {
    expect((await get('/')).status).to.equal(404);
    expect((await get('/constructor')).status).to.equal(404);
  });

  it('survives a page that fails, and tells nothing of the failure', async () => {
    expect(await get('/broken')).to.include({ status: 500, body: 'internal error\n' });
    expect((await get('/healthz')).status).to.equal(200);
  });

  it('sends no body to HEAD', async () => {
    expect(await get('/healthz', 'HEAD')).to.include({ status: 200, body: '' });
  });

  it('refuses to start where something listens already', async () => {
    let refused: unknown;

    await serve({}, { port: server.port, address: '127.0.0.1', log: silentLogger }).catch(
      (error: unknown) => {
        refused = error;
      },
    );

    expect(refused).to.have.property('code', 'EADDRINUSE');
  });

  it('counts reconciles, claims, refusals, provider calls and queues', async () => {
    const queue = metrics.observeQueue('Service');
    queue.finished?.('n/a', 0.02, { kind: 'done' });
    queue.finished?.('n/b', 0.02, { kind: 'failed', error: new Error('x'), terminal: true });
    queue.started?.('n/a', 0.002);
    metrics.watchQueue('Service', () => 7);
    metrics.countAllocation('address', 'a');
    metrics.countRefusal('address', 'AddressPoolExhausted');
    metrics.countProviderCall('announce', 'apply', 'ok', 0.5);
    metrics.setLeading(true);

    const { body, headers } = await get('/metrics');

    expect(headers.get('content-type')).to.contain('text/plain');
    for (const line of [
      'fairlead_reconcile_duration_seconds_count{kind="Service",result="done"} 1',
      'fairlead_reconcile_duration_seconds_count{kind="Service",result="rejected"} 1',
      'fairlead_queue_wait_seconds_count{kind="Service"} 1',
      'fairlead_queue_depth{kind="Service"} 7',
      'fairlead_allocations_total{resource="address",pool="a"} 1',
      'fairlead_allocation_refusals_total{resource="address",reason="AddressPoolExhausted"} 1',
      'fairlead_provider_calls_total{provider="announce",call="apply",result="ok"} 1',
      'fairlead_leading 1',
      'process_cpu_seconds_total',
    ]) {
      expect(body).to.contain(line);
    }
  });
});
