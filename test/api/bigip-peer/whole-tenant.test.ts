import { expect } from 'chai';
import { object } from '../../peers/bigip/plain.ts';
import { app, endings, messageOf, peerForEach, resultsOf, type TestClient } from './support.ts';

const DECLARE = '/mgmt/shared/appsvcs/declare';

describe('stand-in for BIG-IP: declarations of whole tenants', () => {
  let client: TestClient;
  const virtuals = async () => Object.keys(await client.list('ltm/virtual')).sort();
  peerForEach((_peer, made) => {
    client = made;
  });

  it('make what they declare, and nothing when it is there already', async () => {
    const first = await client.declare({ T: { a: app('192.0.2.1') } });
    const second = await client.declare({ T: { a: app('192.0.2.1') } });

    expect(first.status).to.equal(200);
    expect(resultsOf(first)[0]).to.include({
      code: 200,
      host: 'localhost',
      tenant: 'T',
      declarationId: 'test',
    });
    expect(resultsOf(first)[0]).to.have.property('lineCount').that.is.greaterThan(0);
    expect(endings(first)).to.deep.equal(['T: 200 success']);
    expect(endings(second)).to.deep.equal(['T: 200 no change']);
    expect(await virtuals()).to.deep.equal(['/T/a/web']);
  });

  it('take away what isn’t in the tenant any more, and leave other tenants alone', async () => {
    await client.declare({
      T: { a: app('192.0.2.1'), b: app('192.0.2.2') },
      U: { c: app('192.0.2.3', { members: ['10.0.9.1'] }) },
    });

    await client.declare({ T: { b: app('192.0.2.2') } });

    expect(await virtuals()).to.deep.equal(['/T/b/web', '/U/c/web']);
    expect(Object.keys(await client.list('sys/folder')))
      .to.include.members(['/T', '/T/b', '/U/c'])
      .and.not.include('/T/a');
    expect(Object.keys(await client.list('ltm/virtual-address')).sort()).to.deep.equal([
      '/T/192.0.2.2',
      '/U/192.0.2.3',
    ]);
  });

  it('take away a tenant without applications, with its partition', async () => {
    await client.declare({ T: { a: app('192.0.2.1') } });

    expect(endings(await client.declare({ T: {} }))).to.deep.equal(['T: 200 success']);

    expect(await virtuals()).to.deep.equal([]);
    expect(Object.keys(await client.list('auth/partition'))).to.deep.equal(['Common']);
    expect((await client.get(DECLARE)).status).to.equal(204);
  });

  it('take away all other tenants when they are complete', async () => {
    await client.declare({ T: { a: app('192.0.2.1') } });

    await client.declare(
      { U: { c: app('192.0.2.3', { members: ['10.0.9.1'] }) } },
      { updateMode: 'complete' },
    );

    expect(await virtuals()).to.deep.equal(['/U/c/web']);
  });

  it('refuse all of a tenant for the fault of one application, and only that tenant', async () => {
    await client.declare({
      T: { a: app('192.0.2.1') },
      V: { x: app('192.0.2.9', { members: ['10.0.9.9'] }) },
    });

    const answer = await client.declare({
      T: { a: app('192.0.2.1'), b: app('192.0.2.2'), c: app('192.0.2.9') },
      U: { d: app('192.0.2.4', { members: ['10.0.9.4'] }) },
    });

    expect(answer.status).to.equal(207);
    expect(endings(answer)).to.deep.equal(['T: 422 declaration failed', 'U: 200 success']);
    expect(resultsOf(answer)[0]?.response).to.match(
      /^0107176c:3: Invalid Virtual Address, the IP address 192.0.2.9 /,
    );
    expect(await virtuals()).to.deep.equal(['/T/a/web', '/U/d/web', '/V/x/web']);
    expect(object(object((await client.get(`${DECLARE}/T`)).body).T)).to.have.all.keys('class', 'a');
  });

  it('only change the tenants of the path', async () => {
    const body = {
      class: 'ADC',
      schemaVersion: '3.50.0',
      T: { class: 'Tenant', a: app('192.0.2.1') },
      U: { class: 'Tenant', b: app('192.0.2.2') },
    };

    const answer = await client.post(`${DECLARE}/U`, body);

    expect(endings(answer)).to.deep.equal(['U: 200 success']);
    expect(await virtuals()).to.deep.equal(['/U/b/web']);
    expect(endings(await client.post(`${DECLARE}/W`, body))).to.deep.equal([': 200 no change']);
  });

  it('are read back as they were sent, with the time', async () => {
    await client.declare({ T: { a: app('192.0.2.1') } });

    const { body } = await client.get(DECLARE);

    expect(object(body)).to.deep.include({
      class: 'ADC',
      id: 'test',
      updateMode: 'selective',
      T: { class: 'Tenant', a: app('192.0.2.1') },
    });
    expect(object(object(body).controls)).to.have.property('archiveTimestamp');
    expect((await client.get(`${DECLARE}/U`)).status).to.equal(404);
    expect((await client.get(`${DECLARE}?age=1`)).status).to.equal(204);
  });

  it('are removed by tenant, or all', async () => {
    await client.declare({
      T: { a: app('192.0.2.1') },
      U: { b: app('192.0.2.2', { members: ['10.0.9.1'] }) },
      V: { c: app('192.0.2.3', { members: ['10.0.9.2'] }) },
    });

    expect(endings(await client.delete(`${DECLARE}/T`))).to.deep.equal(['T: 200 success']);
    expect(endings(await client.delete(`${DECLARE}/T`))).to.deep.equal(['T: 200 no change']);
    expect(await virtuals()).to.deep.equal(['/U/b/web', '/V/c/web']);
    expect((await client.delete(DECLARE)).status).to.equal(200);
    expect(await virtuals()).to.deep.equal([]);
  });

  it('are patched', async () => {
    await client.declare({ T: { a: app('192.0.2.1') } });

    const added = await client.patch(DECLARE, [{ op: 'add', path: '/T/b', value: app('192.0.2.2') }]);
    const moved = await client.patch(DECLARE, [
      { op: 'replace', path: '/T/a/servers/members/0/serverAddresses/0', value: '10.0.0.7' },
      { op: 'remove', path: '/T/b' },
    ]);

    expect([endings(added), endings(moved)]).to.deep.equal([['T: 200 success'], ['T: 200 success']]);
    expect(await virtuals()).to.deep.equal(['/T/a/web']);
    expect(Object.keys(await client.list('ltm/node')).sort()).to.deep.equal(['/T/10.0.0.2', '/T/10.0.0.7']);
    expect((await client.patch(DECLARE, [{ op: 'test', path: '/T', value: 1 }])).status).to.equal(422);
    expect(messageOf(await client.patch(DECLARE, [{ op: 'remove', path: '/T/none' }]))).to.match(
      /^InvalidPatchOperationError/,
    );
  });

  it('change nothing when they are rehearsed', async () => {
    const answer = await client.declare(
      { T: { a: app('192.0.2.1') } },
      { controls: { class: 'Controls', dryRun: true } },
    );

    expect(resultsOf(answer)[0]).to.include({ code: 200, message: 'success', dryRun: true });
    expect(await virtuals()).to.deep.equal([]);
    expect((await client.get(DECLARE)).status).to.equal(204);
  });

  it('may come in a request of class AS3', async () => {
    const declaration = {
      class: 'ADC',
      schemaVersion: '3.50.0',
      T: { class: 'Tenant', a: app('192.0.2.1') },
    };

    const answer = await client.post(DECLARE, { class: 'AS3', action: 'deploy', persist: true, declaration });

    expect(endings(answer)).to.deep.equal(['T: 200 success']);
    expect(resultsOf(answer)[0]?.declarationId).to.match(/^autogen_/);
  });
});
