import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { keepServing } from '../../../agent/web/keep-serving.ts';
import { eventually } from '../../support/eventually.ts';
import { recordingLogger } from '../../unit/kube/support.ts';

const HOST = '127.0.0.1';
const PORT = 31_250;
const PAGES = { '/x': () => ({ status: 200, body: 'here' }) };

describe("pages whose port isn't free", function () {
  this.timeout(40_000);

  const read = async () => (await fetch(`http://${HOST}:${PORT}/x`)).text();

  it('keep nobody from working, and are served once it is', async () => {
    const blocker = createServer();
    blocker.listen(PORT, HOST);
    await once(blocker, 'listening');
    const { log, lines } = recordingLogger();

    const server = await keepServing(PAGES, { host: HOST, port: PORT }, log);
    blocker.close();
    try {
      expect(lines).to.deep.equal(['error CannotServe']);
      await eventually(async () => expect(await read()).to.equal('here'));
    } finally {
      await server.close();
    }
    expect(await read().catch(() => 'nobody')).to.equal('nobody');
  });

  it('are told of once, however often they are tried', async () => {
    const blocker = createServer();
    blocker.listen(PORT, HOST);
    await once(blocker, 'listening');
    const { log, lines } = recordingLogger();
    const server = await keepServing(PAGES, { host: HOST, port: PORT }, log, 20);
    await new Promise((resolve) => setTimeout(resolve, 500));
    blocker.close();
    try {
      await eventually(async () => expect(await read()).to.equal('here'));
      expect(lines).to.deep.equal(['error CannotServe']);
    } finally {
      await server.close();
    }
  });

  it('are not tried for any more once that was ended', async () => {
    const blocker = createServer();
    blocker.listen(PORT, HOST);
    await once(blocker, 'listening');
    const server = await keepServing(PAGES, { host: HOST, port: PORT }, recordingLogger().log, 20);
    await server.close();
    blocker.close();
    await once(blocker, 'close');

    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await read().catch(() => 'nobody')).to.equal('nobody');
  });

  it('are none at port 0', async () => {
    const { log, lines } = recordingLogger();
    const server = await keepServing(PAGES, { host: HOST, port: 0 }, log);
    await server.close();
    expect(lines).to.deep.equal([]);
  });
});
