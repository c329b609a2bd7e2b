import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { ClassedError } from '../../../../kube/errors.ts';
import { Unit } from '../../../../providers/bigip/calls/unit.ts';
import { eventually } from '../../../support/eventually.ts';
import { TENANT } from './support/desired.ts';
import { failureOf, Rig } from './support/rig.ts';

const LOGIN = '/mgmt/shared/authn/login';

describe('providers/bigip: calls', () => {
  let rig: Rig;

  async function start(options: Parameters<typeof Rig.start>[0] = {}): Promise<void> {
    rig = await Rig.start(options);
  }
  afterEach(() => rig.stop());

  async function refusalOf(work: Promise<unknown>): Promise<ClassedError> {
    const error = await failureOf(work);
    if (!(error instanceof ClassedError)) throw error;
    return error;
  }

  it('logs in once for many, and again when the token has run out', async () => {
    await start();
    const services = Array.from({ length: 5 }, (_, index) =>
      rig.desire({ name: `s-${index}`, address: `198.51.100.${index + 1}` }),
    );
    await Promise.all(services.map((service) => rig.bring(service)));
    expect(rig.peer.calls.count({ path: LOGIN })).to.equal(1);
    rig.peer.expireTokens();
    await rig.bring(rig.desire({ name: 's-0', address: '198.51.100.1', port: 81 }));
    expect(rig.peer.calls.count({ path: LOGIN })).to.equal(2);
  });

  it('says that the password is wrong, and takes a Secret that was mended', async () => {
    await start();
    const web = rig.desire();
    rig.secrets.f5 = { username: 'admin', password: 'guess' };
    const error = await refusalOf(rig.bring(web));
    expect(error).to.include({ class: 'Transient', reason: 'CredentialsRefused' });
    expect(error.message).not.to.include('guess');
    rig.secrets.f5 = { ...rig.peer.credentials };
    rig.restartOperator();
    await rig.bring(web);
  });

  it('says which keys a Secret lacks', async () => {
    await start();
    rig.secrets.f5 = { username: 'admin' };
    const error = await refusalOf(rig.bring(rig.desire()));
    expect(error.message).to.equal('Secret "f5" lacks username and password');
  });

  it('trusts nobody but the authority, and sends no password before', async () => {
    await start();
    const error = await refusalOf(rig.bring(rig.desire({ bigip: { tls: {} } })));
    expect(error).to.include({ class: 'Transient', reason: 'CertificateNotTrusted' });
    expect(rig.peer.calls.all).to.deep.equal([]);
  });

  it('takes the certificate that is pinned, and no other', async () => {
    await start();
    const { fingerprint256 } = new X509Certificate(rig.peer.unit.ca);
    const other = 'AB'.repeat(32);
    const error = await refusalOf(rig.bring(rig.desire({ bigip: { tls: { fingerprints: [other] } } })));
    expect(error).to.include({ class: 'Transient', reason: 'CertificateNotTrusted' });
    expect(error.message).to.include(fingerprint256);
    expect(rig.peer.calls.all).to.deep.equal([]);
    await rig.bring(rig.desire({ bigip: { tls: { fingerprints: [other, fingerprint256] } } }));
    const plain = fingerprint256.replaceAll(':', '').toLowerCase();
    rig.restartOperator();
    expect(await rig.compare(rig.desire({ bigip: { tls: { fingerprints: [plain] } } }))).to.deep.equal([]);
  });

  it('has one declaration at a time carried out, however many come', async () => {
    await start({ times: { declaration: 10 } });
    let running = 0;
    let most = 0;
    rig.peer.beforeCall(({ method, path }) => {
      if (method === 'POST' && path.endsWith('/applications')) most = Math.max(most, ++running);
    });
    rig.peer.afterCall(({ path, method, status }) => {
      if (method === 'GET' && path.includes('/task/') && status === 200) running = 0;
    });
    const services = Array.from({ length: 8 }, (_, index) =>
      rig.desire({ name: `s-${index}`, address: `198.51.100.${index + 1}` }),
    );
    await Promise.all(services.map((service) => rig.bring(service)));
    expect(most).to.equal(1);
    expect(rig.peer.calls.declarations()).to.have.length(8);
    for (const service of services) expect(await rig.compare(service)).to.deep.equal([]);
  });

  it('waits for a device that is busy with a declaration of others', async () => {
    await start();
    rig.peer.busyFor(3);
    const web = rig.desire();
    await rig.bring(web);
    expect(rig.peer.calls.declarations()).to.have.length(4);
    expect(await rig.compare(web)).to.deep.equal([]);
  });

  for (const inFlight of ['lost', 'applied', 'unsaved'] as const) {
    it(`comes to the same end when the device restarts in mid-declaration (${inFlight})`, async () => {
      await start({ times: { declaration: 50 } });
      const web = rig.desire();
      const stop = rig.peer.afterCall(({ method, path }) => {
        if (method !== 'POST' || !path.endsWith('/applications')) return;
        stop();
        rig.peer.unit.restart({ inFlight });
      });
      const error = await refusalOf(rig.bring(web));
      expect(error.class).to.equal('Transient');
      for (let turn = 0; turn < 3; turn++) await rig.bring(web);
      await rig.refresh(web);
      expect(await rig.compare(web)).to.deep.equal([]);
      expect(rig.peer.unit.configuration.list('ltm/virtual')).to.have.length(1);
    });
  }

  for (const perApp of [true, false]) {
    const how = perApp ? 'per application' : 'with whole tenants';
    it(`takes away what a restart left behind and AS3 knows nothing of, ${how}`, async () => {
      await start({ perApp, times: { declaration: 50 } });
      const web = rig.desire();
      const stop = rig.peer.afterCall(({ method, path }) => {
        if (method !== 'POST' || !path.includes('/declare/')) return;
        stop();
        rig.peer.unit.restart({ inFlight: 'unsaved' });
      });
      await refusalOf(rig.bring(web));
      expect(rig.peer.unit.configuration.list('ltm/virtual')).to.have.length(1);
      expect(await rig.refresh(web)).to.deep.equal([]);
      await rig.remove(web);
      expect(rig.peer.unit.configuration.list('ltm/virtual')).to.deep.equal([]);
      expect(await rig.remove(web)).to.deep.equal([]);
    });

    it(`takes the empty folder away, too, when it restarts again meanwhile, ${how}`, async () => {
      await start({ perApp, times: { declaration: 50 } });
      const web = rig.desire();
      const restartInNext = () => {
        const stop = rig.peer.afterCall(({ method, path }) => {
          if (method !== 'POST' || !path.includes('/declare/')) return;
          stop();
          rig.peer.unit.restart({ inFlight: 'unsaved' });
        });
      };
      restartInNext();
      await refusalOf(rig.bring(web));
      restartInNext();
      await refusalOf(rig.remove(web));
      const own = () =>
        rig.peer.unit.configuration.all().filter(({ path }) => path.startsWith(`/${TENANT}/`));
      expect(own().map(({ kind }) => kind)).to.deep.equal(['sys/folder']);
      await rig.remove(web);
      expect(own()).to.deep.equal([]);
    });
  }

  it('takes nothing for gone while the device works on what a process before it began', async () => {
    await start({ times: { declaration: 3_600_000 } });
    const web = rig.desire();
    const cutOff = failureOf(rig.bring(web));
    await eventually(() => expect(rig.peer.unit.as3.isRunning).to.equal(true));
    rig.restartOperator();
    await cutOff;
    expect(await refusalOf(rig.remove(web))).to.include({ class: 'Transient', reason: 'DeviceBusy' });
    rig.peer.times.declaration = 0;
    rig.peer.unit.as3.finish();
    await eventually(() => expect(rig.peer.unit.as3.isRunning).to.equal(false));
    expect(rig.peer.unit.configuration.list('ltm/virtual')).to.have.length(1);
    const changes = await rig.remove(web);
    expect(changes.map(({ action }) => action)).to.deep.equal(['Delete']);
    expect(rig.peer.unit.configuration.list('ltm/virtual')).to.deep.equal([]);
  });

  it('declares anew what is gone from the device altogether', async () => {
    await start();
    const web = rig.desire();
    await rig.bring(web);
    const { unit } = rig.peer;
    const before = unit.configuration.list('ltm/virtual').map(({ path }) => path);
    const kinds = [
      'ltm/virtual',
      'ltm/virtual-address',
      'ltm/pool',
      'ltm/node',
      'ltm/monitor/http',
      'sys/folder',
    ];
    for (const kind of kinds) {
      for (const { path } of unit.configuration.list(kind)) {
        if (path.startsWith(`/${TENANT}/`)) unit.remove(kind, path);
      }
    }
    await rig.refresh(web);
    const [change] = await rig.bring(web);
    expect(change?.action).to.equal('Update');
    expect(unit.configuration.list('ltm/virtual').map(({ path }) => path)).to.deep.equal(before);
  });

  it('takes an answer that was lost for one that may have been a yes', async () => {
    await start();
    const web = rig.desire();
    rig.peer.inject({
      method: 'POST',
      path: '/mgmt/shared/appsvcs/declare',
      times: 1,
      fault: { cut: 'after' },
    });
    const error = await refusalOf(rig.bring(web));
    expect(error.class).to.equal('Transient');
    await rig.bring(web);
    await rig.refresh(web);
    expect(await rig.compare(web)).to.deep.equal([]);
  });

  it('waits for what the device makes asynchronous by itself', async () => {
    await start({ times: { declaration: 60, swapToAsync: 10 } });
    const web = rig.desire();
    await rig.bring(web);
    await rig.remove(web);
    expect(rig.peer.calls.declarations().map(({ method, status }) => [method, status])).to.deep.equal([
      ['POST', 202],
      ['DELETE', 202],
    ]);
    expect(rig.peer.unit.configuration.list('ltm/virtual')).to.deep.equal([]);
  });

  it('renews a token before it runs out, and gives the old one back', async () => {
    await start();
    let now = 0;
    const { password, username } = rig.peer.credentials;
    const unit = new Unit({
      device: new URL(rig.peer.unit.url).host,
      tls: { ca: rig.peer.unit.ca },
      username,
      password,
      loginProvider: 'tmos',
      callMs: 15_000,
      now: () => now,
    });
    const ask = () =>
      unit.call({ method: 'GET', path: '/mgmt/tm/cm/device', operation: 'GET', signal: rig.signal });
    await ask();
    now += 900_000;
    await ask();
    expect(rig.peer.calls.count({ path: LOGIN })).to.equal(1);
    now += 100_000;
    await ask();
    expect(rig.peer.calls.count({ path: LOGIN })).to.equal(2);
    expect(rig.peer.calls.count({ status: 401 })).to.equal(0);
    await eventually(() => expect(rig.peer.unit.sessions.size).to.equal(1));
    await unit.close();
  });

  it('says that there is no AS3', async () => {
    await start();
    rig.peer.inject({
      path: '/mgmt/shared/appsvcs/info',
      fault: {
        answer: {
          status: 404,
          body: { code: 404, message: 'Public URI path not registered: /shared/appsvcs/info' },
        },
      },
    });
    const error = await refusalOf(rig.bring(rig.desire()));
    expect(error).to.include({ class: 'Transient', reason: 'As3NotInstalled' });
  });

  it('gives up on a device that is silent', async () => {
    await start();
    rig.peer.inject({ path: '/mgmt/shared/appsvcs', fault: { silent: 'before' } });
    const web = rig.desire({ bigip: { timeouts: { callSeconds: 1, declarationSeconds: 10 } } });
    const error = await refusalOf(rig.bring(web));
    expect(error).to.include({ class: 'Transient', reason: 'Timeout' });
    rig.peer.heal();
    await rig.bring(web);
  });
});

describe('providers/bigip: a pair', () => {
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.start({ units: 2 });
  });
  afterEach(() => rig.stop());

  function virtualsOn(unit: number): number {
    return rig.peer.units[unit]?.configuration.list('ltm/virtual').length ?? 0;
  }

  /** Until the fault is removed. */
  function refuseSync() {
    const answer = { status: 500, body: { code: 500, message: 'no' } };
    return rig.peer.inject({ method: 'POST', path: /\/tm\/cm$/, fault: { answer } });
  }

  it('writes to the active unit and synchronises the group', async () => {
    await rig.bring(rig.desire());
    expect([virtualsOn(0), virtualsOn(1)]).to.deep.equal([1, 1]);
    const units = rig.peer.calls.declarations().map(({ unit }) => unit);
    expect(new Set(units)).to.deep.equal(new Set([rig.peer.unit.host]));
  });

  it('follows a failover, and declares anew what was not synchronised', async () => {
    const [web, api] = [rig.desire(), rig.desire({ name: 'api', address: '198.51.100.11' })];
    await rig.bring(web);
    rig.peer.inject({
      method: 'POST',
      path: /\/tm\/cm$/,
      fault: { answer: { status: 500, body: { code: 500, message: 'no' } } },
    });
    await failureOf(rig.bring(api));
    expect([virtualsOn(0), virtualsOn(1)]).to.deep.equal([2, 1]);
    rig.peer.failOver();
    rig.peer.heal();
    rig.peer.calls.reset();
    const [change] = await rig.bring(api);
    expect(change?.action).to.equal('Create');
    expect(new Set(rig.peer.calls.declarations().map(({ unit }) => unit))).to.deep.equal(
      new Set([rig.peer.active.host]),
    );
    await rig.refresh(web);
    for (const service of [web, api]) expect(await rig.compare(service)).to.deep.equal([]);
    expect([virtualsOn(0), virtualsOn(1)]).to.deep.equal([2, 2]);
  });

  it('synchronises what was written and not synchronised, without declaring it again', async () => {
    const web = rig.desire();
    const fault = rig.peer.inject({
      method: 'POST',
      path: /\/tm\/cm$/,
      fault: { answer: { status: 400, body: { code: 400, message: 'sync refused' } } },
    });
    const error = await failureOf(rig.bring(web));
    expect(error).to.include({ class: 'Transient', reason: 'SynchronisationFailed' });
    fault.remove();
    // Another Service's trouble has all of it read anew.
    rig.peer.inject({
      path: '/mgmt/shared/appsvcs/declare',
      method: 'POST',
      times: 1,
      fault: { cut: 'before' },
    });
    await failureOf(rig.bring(rig.desire({ name: 'api', address: '198.51.100.11' })));
    rig.peer.calls.reset();
    const [change] = await rig.bring(web);
    expect(change?.resource).to.equal('DeviceGroup');
    expect(rig.peer.calls.declarations()).to.deep.equal([]);
    expect([virtualsOn(0), virtualsOn(1)]).to.deep.equal([1, 1]);
  });

  it('synchronises what a process before it wrote and did not, of ours alone, and only where the group lacks it', async () => {
    const [web, api] = [rig.desire(), rig.desire({ name: 'api', address: '198.51.100.11' })];
    await rig.bring(api);
    const fault = refuseSync();
    await failureOf(rig.bring(web));
    fault.remove();
    rig.restartOperator();
    expect(await rig.compare(api)).to.deep.equal([]);
    rig.peer.calls.reset();
    const changes = await rig.bring(web);
    expect(changes.map(({ resource }) => resource)).to.deep.equal(['DeviceGroup']);
    expect(rig.peer.calls.declarations()).to.deep.equal([]);
    expect([virtualsOn(0), virtualsOn(1)]).to.deep.equal([2, 2]);

    // Somebody else's change, which they keep to themselves for now.
    rig.peer.unit.create('ltm/pool', { name: 'theirs', partition: 'Common' });
    rig.restartOperator();
    for (const service of [web, api]) expect(await rig.compare(service)).to.deep.equal([]);
  });

  it('gives the unit that was active before what it lacks, after a failover', async () => {
    const [web, later] = [rig.desire(), rig.desire({ port: 81 })];
    await rig.bring(web);
    const fault = refuseSync();
    await failureOf(rig.bring(later));
    fault.remove();
    rig.peer.failOver();
    await rig.refresh(web);
    const changes = await rig.bring(web);
    expect(changes.map(({ resource }) => resource)).to.deep.equal(['DeviceGroup']);
    const [one, other] = rig.peer.units.map(({ configuration }) => configuration);
    expect(other !== undefined && one?.equals(other)).to.equal(true);
  });

  it('takes from the group what a process before it took from the active unit only', async () => {
    const web = rig.desire();
    await rig.bring(web);
    const fault = refuseSync();
    await failureOf(rig.remove(web));
    fault.remove();
    rig.restartOperator();
    const [change] = await rig.remove(web);
    expect(change?.resource).to.equal('DeviceGroup');
    expect([virtualsOn(0), virtualsOn(1)]).to.deep.equal([0, 0]);
    expect(await rig.remove(web)).to.deep.equal([]);
  });

  it('asks again what the group lacks while the other unit cannot be asked', async () => {
    const web = rig.desire();
    const fault = refuseSync();
    await failureOf(rig.bring(web));
    fault.remove();
    await rig.peer.units[1]?.unplug();
    rig.restartOperator();
    expect(await rig.compare(web)).to.deep.equal([]);
    await rig.peer.units[1]?.listen();
    await rig.refresh(web);
    const [change] = await rig.bring(web);
    expect(change?.resource).to.equal('DeviceGroup');
    expect([virtualsOn(0), virtualsOn(1)]).to.deep.equal([1, 1]);
  });

  for (const [what, method] of [
    ['a declaration', 'POST'],
    ['a removal', 'DELETE'],
  ] as const) {
    it(`synchronises ${what} that was done and never answered`, async () => {
      const web = rig.desire();
      if (method === 'DELETE') await rig.bring(web);
      const path = '/mgmt/shared/appsvcs/declare';
      rig.peer.inject({ method, path, times: 1, fault: { cut: 'after' } });
      const turn = () => (method === 'DELETE' ? rig.remove(web) : rig.bring(web));
      await failureOf(turn());
      const changes = await turn();
      expect(changes.map(({ resource }) => resource)).to.deep.equal(['DeviceGroup']);
      expect(virtualsOn(1))
        .to.equal(virtualsOn(0))
        .and.to.equal(method === 'DELETE' ? 0 : 1);
    });
  }

  it('takes nothing for gone while it cannot tell what the other unit has', async () => {
    const web = rig.desire();
    await rig.bring(web);
    const fault = refuseSync();
    await failureOf(rig.remove(web));
    await rig.peer.units[1]?.unplug();
    rig.restartOperator();
    await failureOf(rig.remove(web));
    fault.remove();
    await rig.remove(web);
    expect([virtualsOn(0), virtualsOn(1)]).to.deep.equal([0, 0]);
    expect(await rig.remove(web)).to.deep.equal([]);
  });

  it('takes what a restart left behind from the unit that was active before', async () => {
    rig.peer.times.declaration = 50;
    const web = rig.desire();
    const stop = rig.peer.afterCall(({ method, path }) => {
      if (method !== 'POST' || !path.endsWith('/applications')) return;
      stop();
      rig.peer.unit.restart({ inFlight: 'unsaved' });
      rig.peer.failOver();
    });
    await failureOf(rig.bring(web));
    expect([virtualsOn(0), virtualsOn(1)]).to.deep.equal([1, 0]);
    await rig.remove(web);
    expect([virtualsOn(0), virtualsOn(1)]).to.deep.equal([0, 0]);
    expect(await rig.remove(web)).to.deep.equal([]);
  });

  it('takes all for owed where it knows one unit only, and one synchronisation for enough', async () => {
    const services = ['web', 'api'].map((name, index) =>
      rig.desire({
        name,
        address: `198.51.100.${index + 10}`,
        bigip: { devices: [new URL(rig.peer.unit.url).host] },
      }),
    );
    for (const service of services) await rig.bring(service);
    rig.peer.unit.create('ltm/pool', { name: 'theirs', partition: 'Common' });
    rig.restartOperator();
    rig.peer.calls.reset();
    await Promise.all(services.map((service) => rig.bring(service)));
    expect(rig.peer.calls.count({ method: 'POST', path: /\/tm\/cm$/ })).to.equal(1);
    for (const service of services) expect(await rig.compare(service)).to.deep.equal([]);
  });

  it('takes a Service from the group, too, when that could not be synchronised at first', async () => {
    const web = rig.desire();
    await rig.bring(web);
    const fault = refuseSync();
    await failureOf(rig.remove(web));
    fault.remove();
    expect([virtualsOn(0), virtualsOn(1)]).to.deep.equal([0, 1]);
    await rig.remove(web);
    expect([virtualsOn(0), virtualsOn(1)]).to.deep.equal([0, 0]);
    expect(await rig.remove(web)).to.deep.equal([]);
  });

  it('goes on with the other unit when one is lost', async () => {
    const web = rig.desire();
    await rig.bring(web);
    await rig.peer.unit.unplug();
    rig.peer.failOver();
    const changed = rig.desire({ nodes: ['10.0.0.1', '10.0.0.2'], bigip: { deviceGroup: undefined } });
    await rig.bring(changed);
    const [pool] = rig.peer.active.configuration.list('ltm/pool');
    expect(pool?.properties.members).to.have.length(2);
    await rig.peer.unit.listen();
  });

  it('says that no unit is active', async () => {
    rig.peer.inject({
      path: '/mgmt/tm/cm/device',
      fault: { answer: { status: 200, body: { items: [{ selfDevice: 'true', failoverState: 'standby' }] } } },
    });
    const error = await failureOf(rig.bring(rig.desire()));
    expect(error).to.include({ class: 'Transient', reason: 'NoActiveUnit' });
  });
});
