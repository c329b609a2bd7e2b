import { expect } from 'chai';
import { listenersOf } from '../../lab/echo/echo-config.ts';

describe('Where the echo server listens', () => {
  it('is on the declared ports, and on those that agnhost is told', () => {
    const args = ['netexec', '--http-port=8080', '--udp-port=8081'];
    expect(
      listenersOf({ args, ports: [{ containerPort: 8080 }, { containerPort: 53, protocol: 'UDP' }] }),
    ).to.deep.equal([
      { protocol: 'TCP', port: 8080 },
      { protocol: 'UDP', port: 53 },
      { protocol: 'UDP', port: 8081 },
    ]);
  });

  it('is on port 8080 when nothing is said', () => {
    expect(listenersOf({})).to.deep.equal([
      { protocol: 'TCP', port: 8080 },
      { protocol: 'UDP', port: 8080 },
    ]);
  });
});
