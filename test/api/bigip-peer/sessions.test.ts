import { expect } from 'chai';
import { type BigIpPeer, startBigIp } from '../../peers/bigip/bigip-peer.ts';
import { object } from '../../peers/bigip/plain.ts';
import { basic, messageOf, peerForAll, TestClient } from './support.ts';

describe('stand-in for BIG-IP: who comes in', () => {
  let peer: BigIpPeer;
  const path = '/mgmt/tm/ltm/virtual';
  peerForAll(
    (made) => {
      peer = made;
    },
    { users: { admin: 'admin-password', fairlead: 'secret' } },
  );

  it('takes a token of a login, which runs out after 20 minutes', async () => {
    const client = new TestClient(peer.unit);
    await client.login();
    expect((await client.get(path)).status).to.equal(200);

    peer.clock.advance(1_199_000);
    expect((await client.get(path)).status).to.equal(200);
    peer.clock.advance(2_000);
    const answer = await client.get(path);

    expect(answer.status).to.equal(401);
    expect(answer.body).to.include({
      code: 401,
      message: 'X-F5-Auth-Token has expired.',
      kind: ':resterrorresponse',
    });
  });

  it('lets a token live longer, ten hours at most', async () => {
    const client = new TestClient(peer.unit);
    const token = `/mgmt/shared/authz/tokens/${await client.login()}`;

    expect(object((await client.patch(token, { timeout: 36_000 })).body).timeout).to.equal(36_000);
    expect((await client.patch(token, { timeout: 36_001 })).status).to.equal(406);
    peer.clock.advance(35_000_000);

    expect((await client.get(path)).status).to.equal(200);
  });

  it('forgets a token that is given back', async () => {
    const client = new TestClient(peer.unit);
    const token = await client.login();

    expect((await client.delete(`/mgmt/shared/authz/tokens/${token}`)).status).to.equal(200);

    expect(messageOf(await client.get(path))).to.equal('X-F5-Auth-Token does not exist.');
  });

  it('gives one user 100 tokens, and the admin any number', async () => {
    const body = { username: 'fairlead', password: 'secret', loginProviderName: 'tmos' };
    const client = new TestClient(peer.unit, {});
    for (let token = 0; token < 100; token++) await client.post('/mgmt/shared/authn/login', body);

    const refused = await client.post('/mgmt/shared/authn/login', body);

    expect(refused.status).to.equal(400);
    expect(messageOf(refused)).to.equal('user fairlead has reached maximum active login tokens');
    expect(peer.unit.sessions.size).to.be.at.least(100);
  });

  it('refuses a wrong password, and calls that bring nothing', async () => {
    const client = new TestClient(peer.unit, {});
    const body = { username: 'admin', password: 'wrong', loginProviderName: 'tmos' };

    const refused = await client.post('/mgmt/shared/authn/login', body);

    expect([refused.status, messageOf(refused)]).to.deep.equal([401, 'Authentication failed.']);
    expect((await client.get(path)).status).to.equal(401);
    const page = await new TestClient(peer.unit, basic('admin', 'wrong')).get(path);
    expect([page.status, page.type]).to.deep.equal([401, 'text/html; charset=iso-8859-1']);
  });

  it('takes basic authentication', async () => {
    expect((await new TestClient(peer.unit).get(path)).status).to.equal(200);
  });

  it('ends all tokens when a test says so', async () => {
    const client = new TestClient(peer.unit);
    await client.login();

    peer.expireTokens();

    expect(messageOf(await client.get(path))).to.equal('X-F5-Auth-Token has expired.');
  });

  it('has a certificate of its own that another unit has not', async () => {
    const other = await startBigIp();
    try {
      expect(other.unit.ca).to.include('BEGIN CERTIFICATE').and.not.equal(peer.unit.ca);
    } finally {
      await other.stop();
    }
  });
});
