import { expect } from 'chai';
import fc from 'fast-check';
import {
  diffServers as diffAt,
  diffOldWorker,
  type LeavingTimes,
} from '../../../edge/haproxy/diff-servers.ts';
import type { ProxyState, ServerState } from '../../../edge/haproxy/read-state.ts';
import type { ServiceModel } from '../../../edge/model.ts';
import { makeFrontend, makeServer, makeService } from './models.ts';

const NUMBERS = { sessions: 0, totalSessions: 0, bytesIn: 0, bytesOut: 0 };
const PROXY = 'default.web.lab.80';
const DRAIN_SECONDS = 30;

function service(...addresses: string[]) {
  const servers = addresses.map((address) => makeServer(address));
  return makeService('default/web.lab', {
    drainSeconds: DRAIN_SECONDS,
    frontends: [makeFrontend({ name: PROXY, servers })],
  });
}

function server(address: string, more: Partial<ServerState> = {}): ServerState {
  return { name: `${address}:30080`, maintained: false, up: true, sessions: 0, ...more };
}

const NOW = 1_000;

/** Without times: nobody left before. */
function diffServers(
  services: readonly ServiceModel[],
  actual: ReadonlyMap<string, ProxyState>,
  times: LeavingTimes = { since: new Map(), now: NOW },
) {
  return diffAt(services, actual, times);
}

const proxies = (...servers: ServerState[]) => new Map([[PROXY, { servers, numbers: NUMBERS }]]);

/** What HAProxy makes of the commands: as its documentation says, and refusing what it refuses. */
function carryOut(state: ProxyState, commands: readonly string[]): void {
  for (const command of commands) {
    const [, verb = '', name = ''] = /^(.*?) default\.web\.lab\.80\/(\S+)/.exec(command) ?? [];
    const index = state.servers.findIndex((each) => each.name === name);
    const found = state.servers[index];
    if (verb === 'add server') {
      expect(found, `${name} is added twice`).to.equal(undefined);
      const weight = Number(/ weight (\d+)/.exec(command)?.[1] ?? 1);
      state.servers.push({ name, maintained: true, up: false, weight, sessions: 0 });
      continue;
    }
    if (found === undefined) throw new Error(`${command}: no such server`);
    if (verb === 'enable server') found.maintained = false;
    else if (command.endsWith(' state maint')) found.maintained = true;
    else if (command.includes(' weight ')) found.weight = Number(command.split(' ').at(-1));
    else if (verb === 'shutdown sessions server') found.sessions = 0;
    else if (verb === 'del server') {
      expect(found).to.include({ maintained: true, sessions: 0 });
      state.servers.splice(index, 1);
    } else expect(verb).to.equal('enable health');
  }
}

describe('edge: servers that come and go in HAProxy', () => {
  it('has nothing to say when all is as it ought to be', () => {
    expect(diffServers([service('10.0.0.1')], proxies(server('10.0.0.1')))).to.deep.equal({
      commands: [],
      leaving: new Map(),
    });
  });

  it('adds before it takes away', () => {
    const { commands, leaving } = diffServers([service('10.0.0.2')], proxies(server('10.0.0.1')));
    expect(commands).to.deep.equal([
      `add server ${PROXY}/10.0.0.2:30080 ipv4@10.0.0.2:30080 check inter 2s fastinter 500ms rise 2 fall 2`,
      `enable health ${PROXY}/10.0.0.2:30080`,
      `enable server ${PROXY}/10.0.0.2:30080`,
      `set server ${PROXY}/10.0.0.1:30080 state maint`,
    ]);
    expect(leaving).to.deep.equal(new Map([[`${PROXY}/10.0.0.1:30080`, NOW]]));
  });

  it('takes back one that returns before it was gone', () => {
    const leaving = server('10.0.0.1', { maintained: true, sessions: 3 });
    expect(diffServers([service('10.0.0.1')], proxies(leaving)).commands).to.deep.equal([
      `enable health ${PROXY}/10.0.0.1:30080`,
      `enable server ${PROXY}/10.0.0.1:30080`,
    ]);
  });

  it('gives another weight to one that is there, and none to who has it', () => {
    const wanted = (weight?: number) => {
      const servers = [{ ...makeServer('10.0.0.1'), ...(weight === undefined ? {} : { weight }) }];
      return makeService('default/web.lab', { frontends: [makeFrontend({ name: PROXY, servers })] });
    };
    const commands = (weight: number | undefined, now: number | undefined, maintained = false) =>
      diffServers(
        [wanted(weight)],
        proxies(server('10.0.0.1', { maintained, ...(now === undefined ? {} : { weight: now }) })),
      ).commands;
    const set = (weight: number) => `set server ${PROXY}/10.0.0.1:30080 weight ${weight}`;
    expect(commands(3, 1)).to.deep.equal([set(3)]);
    expect(commands(undefined, 3)).to.deep.equal([set(1)]);
    expect(commands(0, 1, true)[0]).to.equal(set(0));
    expect(commands(3, 3)).to.deep.equal([]);
    expect(commands(undefined, 1)).to.deep.equal([]);
    expect(commands(3, undefined)).to.deep.equal([]);
    expect(diffServers([wanted(7)], proxies()).commands[0]).to.match(/^add server .* weight 7$/);
  });

  for (const [name, sessions, since, command] of [
    ['waits for connections', 1, NOW - DRAIN_SECONDS + 0.1, undefined],
    ['ends them when their time is over', 1, NOW - DRAIN_SECONDS, 'shutdown sessions server'],
    ['begins with its time where nobody knows since when', 1, undefined, undefined],
    ['begins with it where another boot of the machine wrote it', 1, NOW + 1, undefined],
    ['deletes one that has none', 0, NOW, 'del server'],
  ] as const) {
    it(`${name} of one that leaves`, () => {
      const path = `${PROXY}/10.0.0.1:30080`;
      const { commands, leaving } = diffServers(
        [service()],
        proxies(server('10.0.0.1', { maintained: true, sessions })),
        { since: new Map(since === undefined ? [] : [[path, since]]), now: NOW },
      );
      expect(commands).to.deep.equal(command === undefined ? [] : [`${command} ${path}`]);
      expect(leaving).to.deep.equal(new Map([[path, Math.min(since ?? NOW, NOW)]]));
    });
  }

  it('counts from when it leaves, not from when it left the time before', () => {
    const path = `${PROXY}/10.0.0.1:30080`;
    const { commands, leaving } = diffServers([service()], proxies(server('10.0.0.1', { sessions: 1 })), {
      since: new Map([[path, 1]]),
      now: NOW,
    });
    expect(commands).to.deep.equal([`set server ${path} state maint`]);
    expect(leaving).to.deep.equal(new Map([[path, NOW]]));
  });

  describe('of a worker that another took the place of', () => {
    const path = `${PROXY}/10.0.0.1:30080`;
    const diff = (servers: ServerState[], since: [string, number][], now = NOW) =>
      diffOldWorker(7, [service('10.0.0.2')], proxies(...servers), { since: new Map(since), now });
    const busy = server('10.0.0.1', { sessions: 2 });

    it('ends what one has that left, once its time is over, and nothing of others', () => {
      const first = diff([busy, server('10.0.0.2', { sessions: 1 }), server('10.0.0.3')], []);
      expect(first).to.deep.equal({ over: new Set(), leaving: new Map([[`7/${path}`, NOW]]) });
      const then = diff([busy], [...first.leaving], NOW + DRAIN_SECONDS - 0.1);
      expect(then).to.deep.equal(first);
      expect(diff([busy], [...then.leaving], NOW + DRAIN_SECONDS).over).to.deep.equal(new Set([path]));
    });

    it('counts from when it left the worker that serves', () => {
      const left = NOW - DRAIN_SECONDS;
      expect(diff([busy], [[path, left]])).to.deep.equal({
        over: new Set([path]),
        leaving: new Map([[`7/${path}`, left]]),
      });
    });
  });

  it('leaves alone what the worker does not have yet', () => {
    expect(diffServers([service('10.0.0.1')], new Map()).commands).to.deep.equal([]);
  });

  it('comes from any servers to those that are wanted, and never takes all away while some are wanted', () => {
    const addresses = fc.uniqueArray(fc.constantFrom(...[1, 2, 3, 4, 5, 6].map((host) => `10.0.0.${host}`)));
    const actual = fc.uniqueArray(
      fc.record({
        address: fc.constantFrom(...[1, 2, 3, 4, 5, 6].map((host) => `10.0.0.${host}`)),
        maintained: fc.boolean(),
        weight: fc.nat(3),
        sessions: fc.nat(2),
      }),
      { selector: ({ address }) => address },
    );
    fc.assert(
      fc.property(addresses, fc.array(fc.nat(3)), actual, (wanted, weights, there) => {
        const servers = wanted.map((address, index) => ({
          ...makeServer(address),
          weight: weights[index] ?? 1,
        }));
        const all = [makeService('default/web.lab', { frontends: [makeFrontend({ name: PROXY, servers })] })];
        const state: ProxyState = {
          servers: there.map(({ address, ...more }) => server(address, more)),
          numbers: NUMBERS,
        };
        let since: ReadonlyMap<string, number> = new Map();
        for (let round = 0; round < 5; round++) {
          const { commands, leaving } = diffServers(all, new Map([[PROXY, state]]), {
            since,
            now: NOW + round * DRAIN_SECONDS,
          });
          since = leaving;
          for (const command of commands) {
            const served = state.servers.some(({ maintained }) => !maintained);
            carryOut(state, [command]);
            const serves = state.servers.some(({ maintained }) => !maintained);
            if (wanted.length > 0 && served) expect(serves, command).to.equal(true);
          }
        }
        expect(state.servers.map(({ name }) => name)).to.have.members(wanted.map((each) => `${each}:30080`));
        expect(state.servers.every(({ maintained }) => !maintained)).to.equal(true);
        for (const { name, weight } of servers) {
          expect(state.servers.find((each) => each.name === name)?.weight).to.equal(weight);
        }
      }),
    );
  });
});
