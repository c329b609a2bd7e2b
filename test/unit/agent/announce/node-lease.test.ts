import { expect } from 'chai';
import { NodeLease } from '../../../../agent/announce/node-lease.ts';
import { RepeatedWarning } from '../../../../agent/announce/repeated-warning.ts';
import { KubeClient } from '../../../../kube/client.ts';
import { ClassedError } from '../../../../kube/errors.ts';
import { type Logger, silentLogger } from '../../../../kube/log.ts';
import type { Lease } from '../../../../kube/objects.ts';

const NO_NAMESPACE = new ClassedError('namespaces "fairlead-system" not found', {
  class: 'NotFound',
  code: 404,
  reason: 'NotFound',
});

class ClientWithoutNamespace extends KubeClient {
  asked = 0;

  constructor() {
    super({ server: 'http://127.0.0.1:1' });
  }

  override async request<T>(): Promise<T> {
    this.asked++;
    throw NO_NAMESPACE;
  }
}

function collect(lines: string[]): Logger {
  return {
    ...silentLogger,
    info: (event) => lines.push(`info ${event}`),
    warn: (event, fields) => lines.push(`warn ${event} ${JSON.stringify(fields)}`),
  };
}

describe('agent/announce: a Lease that cannot be written', () => {
  let now: number;
  let lines: string[];
  let warning: RepeatedWarning;

  beforeEach(() => {
    now = 0;
    lines = [];
    warning = new RepeatedWarning(collect(lines), { event: 'Failed', eventOver: 'Passed' }, () => now);
  });

  it('is told at first, then once a minute with the number of failures', () => {
    for (now = 0; now < 120_000; now += 250) warning.failed(NO_NAMESPACE);

    expect(lines.map((line) => line.slice(0, 30))).to.deep.equal([
      'warn Failed {"failures":1,"err',
      'warn Failed {"failures":241,"e',
    ]);
  });

  it('is told again for another reason, and each reason for itself', () => {
    const other = new ClassedError('no answer', { class: 'Transient', reason: 'Timeout' });
    for (now = 0; now < 30_000; now += 500) warning.failed(now % 1_000 === 0 ? NO_NAMESPACE : other);

    expect(lines).to.have.length(2);
  });

  it('is told when it passes, once, and told anew after that', () => {
    warning.passed();
    warning.failed(NO_NAMESPACE);
    warning.passed();
    warning.passed();
    warning.failed(NO_NAMESPACE);

    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).to.deep.equal([
      'warn Failed',
      'info Passed',
      'warn Failed',
    ]);
  });

  it('is tried several times a second, and told once', async () => {
    const client = new ClientWithoutNamespace();
    const lease = new NodeLease({
      client,
      namespace: 'fairlead-system',
      name: 'fairlead-agent-n1',
      compose: (): Lease => ({ metadata: { name: 'fairlead-agent-n1', namespace: 'fairlead-system' } }),
      renewMs: () => 1_000,
      requestTimeoutMs: 1_000,
      onFailure: () => {},
      isOurs: () => true,
      onSuperseded: () => {},
      log: collect(lines),
    });
    lease.start();
    while (client.asked < 8) await new Promise((resolve) => setTimeout(resolve, 10));
    await lease.stop();

    expect(lines.filter((line) => line.startsWith('warn LeaseNotRenewed'))).to.have.length(1);
  });
});
