import { expect } from 'chai';
import { measureRestarts } from '../../bench/support/measure-restarts.ts';

const RESTARTS = 3;

/** A real API server, the agent as a process, and a client and servers that only the node joins. */
describe('agent: killed and started again under load', function () {
  this.timeout(600_000);

  it('fails none of 100 new connections a second at 5,000 Services, killed while it serves and while it starts', async () => {
    const { made, failed } = await measureRestarts({
      services: 5_000,
      restarts: RESTARTS,
      connectionsPerSecond: 100,
    });

    expect(failed).to.deep.equal([]);
    // Each turn takes more than a second and a half.
    expect(made).to.be.greaterThan(RESTARTS * 150);
  });
});
