import { randomUUID } from 'node:crypto';
import { type Desired, UNSUPPORTED_VERSION } from '../contract.ts';
import { isSameId, isSameKey } from '../same-id.ts';
import { check, type Probe } from './probe.ts';
import { frontend, TARGETS, wish } from './wishes.ts';

/** One thing that the contract asks of a server. Throws a Violation, or the ClassedError of a call. */
export interface Case {
  name: string;
  run(probe: Probe): Promise<void>;
}

/** In an order in which the first that fails is the one to mend first. */
export const CASES: readonly Case[] = [
  {
    name: 'takes the parameters',
    run: async (probe) => {
      const { findings } = await probe.validate();
      check(
        findings.length === 0,
        `validate has against them: ${findings.map(({ message }) => message).join(' ')}`,
      );
    },
  },
  {
    name: 'refuses a version that it does not know',
    run: async (probe) => {
      const request = { ...probe.asker, apiVersion: 'provider.fairlead.dev/v999' };
      const reason = await probe.refusal('validate', JSON.stringify(request));
      check(reason === UNSUPPORTED_VERSION, `the reason is ${reason}, not ${UNSUPPORTED_VERSION}`);
    },
  },
  {
    name: 'refuses what is not JSON, and a request without an id, in the words of the contract',
    run: async (probe) => {
      await probe.refusal('plan', '{"apiVersion": ');
      await probe.refusal('plan', JSON.stringify({ ...probe.asker, desired: wish() }));
    },
  },
  {
    name: 'ignores fields that it does not know',
    run: async (probe) => {
      const id = { ...probe.newId(), shape: 'round' };
      const desired = { ...wish(), colour: 'blue' };
      const { changes } = await probe.plan(id, desired);
      check(changes.length > 0, 'plan says that there is nothing to do for a new one');
    },
  },
  {
    name: 'plans a new one, and makes nothing by that',
    run: async (probe) => {
      const id = probe.newId();
      const { changes, state } = await probe.plan(id, wish());
      check(changes.length > 0, 'plan says that there is nothing to do for a new one');
      check(state.ingress.length === 0, 'plan names an address of one that is not there');
      check((await probe.find(id)) === undefined, 'observe finds it after plan alone');
    },
  },
  {
    name: 'makes it, serves it, and has nothing left to plan',
    run: async (probe) => {
      const id = probe.newId();
      const state = await probe.applyWholly(id, wish());
      const again = await probe.plan(id, wish());
      check(
        again.changes.length === 0,
        `plan still would do: ${again.changes.map(({ summary }) => summary).join('; ')}`,
      );
      checkSame('plan', again.state.ingress, state.ingress);
    },
  },
  {
    name: 'finds it by its id, and among all of its cluster',
    run: async (probe) => {
      const id = probe.newId();
      const state = await probe.applyWholly(id, wish());
      const found = await probe.find(id);
      check(found !== undefined, 'observe with its id does not find it');
      checkSame('observe', found?.ingress, state.ingress);
      const listed = (await probe.list()).filter((each) => isSameId(each, id));
      check(listed.length === 1, `observe of the cluster names it ${listed.length} times`);
    },
  },
  {
    name: 'does an operation twice as once',
    run: async (probe) => {
      const id = probe.newId();
      const operationId = randomUUID();
      await probe.apply(id, wish(), operationId);
      await probe.apply(id, wish(), operationId);
      const state = await probe.applyWholly(id, wish());
      const again = await probe.apply(id, wish());
      checkSame('a second apply', again.ingress, state.ingress);
      checkSame('a second apply', again.providerID, state.providerID);
      checkOne(await probe.list(), (each) => isSameKey(each, id));
    },
  },
  {
    name: 'makes one of several requests at once',
    run: async (probe) => {
      const id = probe.newId();
      await Promise.all([1, 2, 3, 4].map(() => probe.apply(id, wish())));
      await probe.applyWholly(id, wish());
      checkOne(await probe.list(), (each) => isSameKey(each, id));
    },
  },
  {
    name: 'changes ports, and keeps the address',
    run: async (probe) => {
      const id = probe.newId();
      const state = await probe.applyWholly(id, wish());
      const more = wish({ frontends: [frontend(80), frontend(443)] });
      check((await probe.plan(id, more)).changes.length > 0, 'plan finds nothing to do for another port');
      const changed = await probe.applyWholly(id, more);
      checkSame('apply', changed.ingress, state.ingress);
      check((await probe.plan(id, more)).changes.length === 0, 'plan has something left after apply');
      const { changes } = await probe.plan(id, wish());
      check(changes.length > 0, 'plan finds nothing to do for a port that goes');
    },
  },
  {
    name: 'follows targets that come, drain and go',
    run: async (probe) => {
      const id = probe.newId();
      const [first, second] = TARGETS;
      if (first === undefined || second === undefined) throw new Error('two targets');
      await probe.applyWholly(id, wish());
      for (const targets of [[{ ...first, draining: true }, second], [second], []]) {
        const wanted = wish({ frontends: [frontend(80, targets)] });
        const what = JSON.stringify(targets.map(({ name, draining }) => ({ name, draining })));
        check(
          (await probe.plan(id, wanted)).changes.length > 0,
          `plan finds nothing to do for the targets ${what}`,
        );
        await probe.applyWholly(id, wanted);
        check(
          (await probe.plan(id, wanted)).changes.length === 0,
          `plan has something left for the targets ${what}`,
        );
      }
    },
  },
  {
    name: 'carries out what is asked for besides, or refuses it, and never passes over it',
    run: async (probe) => {
      const id = probe.newId();
      await probe.applyWholly(id, wish());
      const asked: [what: string, more: Partial<Desired>][] = [
        ['sourceRanges', { sourceRanges: ['203.0.113.0/24'] }],
        ['sessionAffinitySeconds', { sessionAffinitySeconds: 600 }],
        ['a frontend of UDP', { frontends: [frontend(80), { ...frontend(80), protocol: 'UDP' }] }],
      ];
      for (const [what, more] of asked) {
        check(
          await probe.takesNote(id, wish(more)),
          `plan finds nothing to do for ${what}, and does not refuse it`,
        );
      }
    },
  },
  {
    name: 'gives two load balancers two places',
    run: async (probe) => {
      const [one, other] = [probe.newId(), probe.newId()];
      const [a, b] = [await probe.applyWholly(one, wish()), await probe.applyWholly(other, wish())];
      check(JSON.stringify(a.ingress) !== JSON.stringify(b.ingress), 'both have port 80 of one address');
      await probe.deleteWholly(one);
      checkSame('observe, after the other one is gone,', (await probe.find(other))?.ingress, b.ingress);
    },
  },
  {
    name: 'keeps clusters apart',
    run: async (probe) => {
      const id = probe.newId();
      const foreign = { ...id, clusterId: `${probe.clusterId}-other` };
      await probe.applyWholly(id, wish());
      check((await probe.list(foreign.clusterId)).length === 0, 'observe tells it to another cluster');
      check((await probe.find(foreign)) === undefined, 'observe with the id of another cluster finds it');
      await probe.delete(foreign);
      check((await probe.find(id)) !== undefined, 'delete for another cluster took it away');
    },
  },
  {
    name: 'keeps namespaces and LoadBalancerProviders apart',
    run: async (probe) => {
      const id = probe.newId();
      const elsewhere = { ...id, namespace: `${id.namespace}-other` };
      await probe.applyWholly(id, wish());
      check((await probe.find(elsewhere)) === undefined, 'observe with the id of another namespace finds it');
      await probe.delete(elsewhere);
      check((await probe.find(id)) !== undefined, 'delete for another namespace took it away');
      const others = await probe.list(probe.clusterId, 'another');
      check(others.length === 0, 'observe tells it to another LoadBalancerProvider');
    },
  },
  {
    name: 'takes nothing away for a Service that does not have it',
    run: async (probe) => {
      const id = probe.newId();
      const former = { ...id, serviceUid: randomUUID() };
      await probe.applyWholly(id, wish());
      check((await probe.find(former)) === undefined, 'observe with another serviceUid finds it');
      check(await probe.delete(former), 'delete with another serviceUid does not say gone: true');
      check((await probe.find(id)) !== undefined, 'delete with another serviceUid took it away');
    },
  },
  {
    name: 'hands over to a Service made again under the same name',
    run: async (probe) => {
      const id = probe.newId();
      const next = { ...id, serviceUid: randomUUID() };
      await probe.applyWholly(id, wish());
      await probe.applyWholly(next, wish());
      const own = (await probe.list()).filter((each) => isSameKey(each, id));
      check(
        own.length === 1 && own.every((each) => isSameId(each, next)),
        `observe of the cluster names ${own.length} of that name, and not the new one alone`,
      );
    },
  },
  {
    name: 'takes it away, and says so again',
    run: async (probe) => {
      const id = probe.newId();
      await probe.applyWholly(id, wish());
      await probe.deleteWholly(id);
      check((await probe.find(id)) === undefined, 'observe finds it after delete');
      check(await probe.delete(id), 'delete of what is gone does not say gone: true');
      const left = (await probe.list()).filter((each) => isSameKey(each, id));
      check(left.length === 0, 'observe of the cluster names it after delete');
    },
  },
];

function checkSame(what: string, actual: unknown, expected: unknown): void {
  const [is, was] = [JSON.stringify(actual), JSON.stringify(expected)];
  check(is === was, `${what} says ${is}, and before it was ${was}`);
}

function checkOne<T>(list: readonly T[], isIt: (each: T) => boolean): void {
  const count = list.filter(isIt).length;
  check(count === 1, `observe of the cluster names it ${count} times`);
}
