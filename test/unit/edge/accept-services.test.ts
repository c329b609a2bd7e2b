import { expect } from 'chai';
import fc from 'fast-check';
import type { Fault, ServiceModel } from '../../../edge/model.ts';
import { acceptServices, type Verdict } from '../../../edge/services/accept-services.ts';
import { resolveServices } from '../../../edge/services/resolve-services.ts';
import { makeFrontend, makeServer, makeService } from './models.ts';

const REFUSED: Fault = { reason: 'ConfigurationRefused', message: 'no' };
const BAD = 'bad';

const isBad = ({ frontends }: ServiceModel) =>
  frontends.some(({ sourceRanges }) => sourceRanges.includes(BAD));

/** Refuses whatever is bad; names it, or only says that something is. */
function makeJudge(options: { names: boolean; always?: boolean }) {
  let asked = 0;
  const judge = async (services: readonly ServiceModel[]): Promise<Verdict> => {
    asked++;
    const bad = services.filter(isBad);
    const named = options.names ? bad.map(({ key }) => [key, REFUSED] as const) : [];
    const isRefused = options.always === true || bad.length > 0;
    return { byService: new Map(named), unnamed: isRefused && named.length === 0 ? REFUSED : undefined };
  };
  return { judge, asked: () => asked };
}

function makeBad(service: ServiceModel): ServiceModel {
  return { ...service, frontends: service.frontends.map((each) => ({ ...each, sourceRanges: [BAD] })) };
}

describe('edge: Services that HAProxy takes', () => {
  for (const names of [true, false]) {
    it(`leaves out those that are bad, and none but those, when ${names ? 'they are named' : 'nobody is named'}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 40 }), async (flags) => {
          const wanted = flags.map((bad, index) => {
            const service = makeService(`default/s${index}`);
            return bad ? makeBad(service) : service;
          });
          const { judge } = makeJudge({ names });
          const { faults, fatal, services } = await acceptServices(wanted, new Map(), judge);
          expect(fatal).to.equal(undefined);
          expect([...faults.keys()]).to.have.members(wanted.filter(isBad).map(({ key }) => key));
          expect(services).to.deep.equal(wanted.filter((service) => !isBad(service)));
        }),
      );
    });
  }

  it('finds one among 200 in few tries, though nobody is named', async () => {
    const wanted = Array.from({ length: 200 }, (_, index) => makeService(`default/s${index}`));
    const { asked, judge } = makeJudge({ names: false });
    const one = wanted.map((service, index) => (index === 137 ? makeBad(service) : service));
    const { faults } = await acceptServices(one, new Map(), judge);
    expect([...faults.keys()]).to.deep.equal(['default/s137']);
    expect(asked()).to.be.lessThan(15);
  });

  it('tells who is at fault before it tries the others without it', async () => {
    const wanted = [makeService('default/a'), makeBad(makeService('default/b'))];
    const { asked, judge } = makeJudge({ names: true });
    const told: [keys: string[], asked: number][] = [];
    await acceptServices(wanted, new Map(), judge, (faults) => told.push([[...faults.keys()], asked()]));
    expect(told).to.deep.equal([[['default/b'], 1]]);
    expect(asked()).to.equal(2);
  });

  it('serves what was taken before in the place of what is refused, with the targets of now', async () => {
    const good = makeService('default/a', {
      frontends: [makeFrontend({ servers: [makeServer('10.0.0.1')] })],
    });
    const changed = makeBad({
      ...good,
      generation: 2,
      frontends: [makeFrontend({ servers: [makeServer('10.0.0.2')] })],
    });
    const { faults, services } = await acceptServices(
      [changed],
      new Map([[good.key, good]]),
      makeJudge({ names: true }).judge,
    );
    expect(faults.get('default/a')).to.equal(REFUSED);
    expect(services).to.deep.equal([
      { ...good, frontends: [makeFrontend({ servers: [makeServer('10.0.0.2')] })] },
    ]);
  });

  it('lets go of addresses that are its own no more, refused or not', async () => {
    const good = makeService('default/a', {
      frontends: [makeFrontend({ addresses: ['192.0.2.1', '192.0.2.2'] })],
    });
    const moved = makeBad({ ...good, frontends: [makeFrontend({ addresses: ['192.0.2.2'] })] });
    const gone = makeBad({ ...good, frontends: [makeFrontend({ addresses: ['192.0.2.3'] })] });
    const accept = (wanted: ServiceModel) =>
      acceptServices([wanted], new Map([[good.key, good]]), makeJudge({ names: true }).judge);
    expect((await accept(moved)).services.flatMap(({ frontends }) => frontends[0]?.addresses)).to.deep.equal([
      '192.0.2.2',
    ]);
    expect((await accept(gone)).services).to.deep.equal([]);
  });

  it('takes nothing of a namesake that was made later', async () => {
    const good = makeService('default/a');
    const namesake = makeBad({ ...good, uid: 'another' });
    const { services } = await acceptServices(
      [namesake],
      new Map([[good.key, good]]),
      makeJudge({ names: true }).judge,
    );
    expect(services).to.deep.equal([]);
  });

  it('leaves out what was taken before, too, when that is refused now', async () => {
    const good = makeBad(makeService('default/a'));
    const other = makeService('default/b');
    const { faults, services } = await acceptServices(
      [good, other],
      new Map([[good.key, good]]),
      makeJudge({ names: false }).judge,
    );
    expect([...faults.keys()]).to.deep.equal(['default/a']);
    expect(services).to.deep.equal([other]);
  });

  it('blames nobody for what is refused without any of them', async () => {
    const { judge } = makeJudge({ names: false, always: true });
    const { faults, fatal } = await acceptServices([makeService('default/a')], new Map(), judge);
    expect(fatal).to.equal(REFUSED);
    expect(faults.size).to.equal(0);
  });

  it('follows targets of one that is refused', () => {
    const good = makeService('default/a');
    const now = makeBad({
      ...good,
      frontends: good.frontends.map((each) => ({ ...each, servers: [makeServer('10.0.0.9')] })),
    });
    const [served] = resolveServices([now], new Map([[good.key, REFUSED]]), new Map([[good.key, good]]));
    expect(served?.frontends[0]).to.deep.include({ sourceRanges: [], servers: [makeServer('10.0.0.9')] });
  });
});
