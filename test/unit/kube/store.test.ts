import { expect } from 'chai';
import fc from 'fast-check';
import type { KubeObject } from '../../../kube/objects.ts';
import { Store, type StoreChange } from '../../../kube/store.ts';
import { kubeObject, recordingLogger } from './support.ts';

function recordChanges(store: Store<KubeObject>): string[] {
  const seen: string[] = [];
  store.onChange((change) => seen.push(`${change.type} ${change.key} ${change.object.metadata.uid}`));
  return seen;
}

describe('kube/store', () => {
  it('tells what a listing changed: deletions first, nothing of what is the same', () => {
    const store = new Store<KubeObject>();
    store.replace([kubeObject('a'), kubeObject('b'), kubeObject('c')]);
    const seen = recordChanges(store);

    store.replace([kubeObject('d'), kubeObject('b', '2'), kubeObject('c')]);

    expect(seen).to.deep.equal(['Deleted ns/a uid-a', 'Added ns/d uid-d', 'Modified ns/b uid-b']);
  });

  it('tells of two objects when one was deleted and made anew under its name', () => {
    const store = new Store<KubeObject>();
    store.replace([kubeObject('a', '1', 'first')]);
    const seen = recordChanges(store);

    store.replace([kubeObject('a', '5', 'second')]);
    store.upsert(kubeObject('a', '9', 'third'));

    expect(seen).to.deep.equal([
      'Deleted ns/a first',
      'Added ns/a second',
      'Deleted ns/a second',
      'Added ns/a third',
    ]);
  });

  it('holds a whole listing before it tells the first change of it', () => {
    const store = new Store<KubeObject>();
    const sizes: number[] = [];
    store.onChange(() => sizes.push(store.size));

    store.replace([kubeObject('a'), kubeObject('b'), kubeObject('c')]);

    expect(sizes).to.deep.equal([3, 3, 3]);
  });

  it('gives the object before and after a change, and of a deleted one what was last seen', () => {
    const store = new Store<KubeObject>();
    const seen: StoreChange<KubeObject>[] = [];
    store.upsert(kubeObject('a', '1'));
    store.onChange((change) => seen.push(change));

    store.upsert(kubeObject('a', '2'));
    store.remove(kubeObject('a', '3'));
    store.remove(kubeObject('a', '4'));

    expect(seen).to.deep.equal([
      { type: 'Modified', key: 'ns/a', object: kubeObject('a', '2'), previous: kubeObject('a', '1') },
      { type: 'Deleted', key: 'ns/a', object: kubeObject('a', '3'), previous: kubeObject('a', '2') },
    ]);
  });

  it('outlives a handler that throws, and goes on calling it and the others', () => {
    const { log, lines } = recordingLogger();
    const store = new Store<KubeObject>({ log });
    let bad = 0;
    store.onChange(() => {
      bad++;
      throw new Error('broken');
    });
    const seen = recordChanges(store);

    store.upsert(kubeObject('a'));
    store.upsert(kubeObject('b'));

    expect(bad).to.equal(2);
    expect(seen).to.have.length(2);
    expect(lines).to.deep.equal(['error HandlerFailed', 'error HandlerFailed']);
  });

  it('calls one function as often as it was given, and not after it was taken back', () => {
    const store = new Store<KubeObject>();
    let calls = 0;
    const handler = () => void calls++;
    const end = store.onChange(handler);
    store.onChange(handler);

    store.upsert(kubeObject('a'));
    end();
    store.upsert(kubeObject('b'));

    expect(calls).to.equal(3);
  });

  it('outlives an index function that throws: that object is in no index, the others are', () => {
    const { log, lines } = recordingLogger();
    const store = new Store<KubeObject>({ log }).addIndex('name', (object) => {
      if (object.metadata.name === 'bad') throw new Error('broken');
      return [object.metadata.name];
    });

    store.replace([kubeObject('bad'), kubeObject('good')]);

    expect(store.byIndex('name', 'good')).to.have.length(1);
    expect(store.get('ns/bad')).to.deep.equal(kubeObject('bad'));
    expect(lines).to.include('error IndexFailed');
  });

  it('says which index is missing', () => {
    expect(() => new Store<KubeObject>().byIndex('nope', 'x')).to.throw('no index "nope"');
  });

  it('stays equal to a plain map, its index to a filter, and its changes to the way between, over any history', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const object = fc
      .tuple(name, fc.nat(5), fc.nat(2), fc.subarray(['x', 'y', 'z']))
      .map(([id, version, uid, values]) =>
        kubeObject(id, String(version), `${id}${uid}`, { values: values.join(' ') }),
      );
    const step = fc.oneof(
      fc.record({ kind: fc.constant('upsert' as const), object }),
      fc.record({ kind: fc.constant('remove' as const), object }),
      fc.record({
        kind: fc.constant('replace' as const),
        objects: fc.uniqueArray(object, { selector: (each) => each.metadata.name, maxLength: 4 }),
      }),
    );
    const valuesOf = (each: KubeObject) => (each.metadata.labels?.values ?? '').split(' ').filter(Boolean);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = new Store<KubeObject>().addIndex('values', valuesOf);
        const model = new Map<string, KubeObject>();
        const replayed = new Map<string, KubeObject>();
        store.onChange(({ type, key, object: changed }) => {
          expect(replayed.has(key)).to.equal(type !== 'Added');
          if (type === 'Deleted') replayed.delete(key);
          else replayed.set(key, changed);
        });
        const put = (each: KubeObject) => {
          const old = model.get(`ns/${each.metadata.name}`);
          const isSame =
            old?.metadata.resourceVersion === each.metadata.resourceVersion &&
            old?.metadata.uid === each.metadata.uid;
          if (!isSame) model.set(`ns/${each.metadata.name}`, each);
        };
        for (const each of steps) {
          if (each.kind === 'upsert') {
            store.upsert(each.object);
            put(each.object);
          } else if (each.kind === 'remove') {
            store.remove(each.object);
            model.delete(`ns/${each.object.metadata.name}`);
          } else {
            store.replace(each.objects);
            const names = each.objects.map((item) => `ns/${item.metadata.name}`);
            for (const key of [...model.keys()]) if (!names.includes(key)) model.delete(key);
            for (const item of each.objects) put(item);
          }
        }

        const byName = (a: KubeObject, b: KubeObject) => a.metadata.name.localeCompare(b.metadata.name);
        const expected = [...model.values()].sort(byName);
        expect(store.list().sort(byName)).to.deep.equal(expected);
        expect([...replayed.values()].sort(byName)).to.deep.equal(expected);
        for (const value of ['x', 'y', 'z']) {
          const filtered = expected.filter((each) => valuesOf(each).includes(value));
          expect(store.byIndex('values', value).sort(byName)).to.deep.equal(filtered);
        }
      }),
    );
  });

  describe('a listing that is taken in by slices', () => {
    const object = fc.tuple(
      fc.constantFrom(...'abcdef'),
      fc.constantFrom('1', '2'),
      fc.constantFrom('x', 'y'),
    );
    const listing = fc
      .uniqueArray(object, { selector: ([name]) => name })
      .map((each) => each.map(([name, version, uid]) => kubeObject(name, version, uid, { app: uid })));
    const fill = () =>
      new Store<KubeObject>().addIndex('app', ({ metadata }) => [metadata.labels?.app ?? '']);
    const contents = (store: Store<KubeObject>) => [
      store.list().toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name)),
      ...['x', 'y'].map((app) =>
        store
          .byIndex('app', app)
          .map(({ metadata }) => metadata.name)
          .toSorted(),
      ),
    ];

    it('tells the same changes as at once, and ends with the same contents', async () => {
      await fc.assert(
        fc.asyncProperty(listing, listing, async (before, after) => {
          const [atOnce, sliced] = [fill(), fill()];
          for (const store of [atOnce, sliced]) store.replace(before);
          const [expected, seen] = [recordChanges(atOnce), recordChanges(sliced)];

          atOnce.replace(after);
          await sliced.replaceInSlices(after);

          expect(seen.toSorted()).to.deep.equal(expected.toSorted());
          expect(contents(sliced)).to.deep.equal(contents(atOnce));
        }),
      );
    });

    it('lets others have their turn, who see all of the one before or all of the new one', async () => {
      const store = fill();
      const many = (version: string) =>
        Array.from({ length: 50_000 }, (_, index) =>
          kubeObject(`o${index}`, version, `u${index}`, { app: version }),
        );
      store.replace(many('1'));
      const seen = new Set<string>();
      let turns = 0;
      let done = false;
      const look = () => {
        turns++;
        seen.add(`${store.byIndex('app', '1').length} ${store.byIndex('app', '2').length}`);
        if (!done) setImmediate(look);
      };
      setImmediate(look);

      await store.replaceInSlices(many('2'));
      done = true;
      look();

      expect(turns).to.be.greaterThan(2);
      expect([...seen]).to.include.members(['50000 0', '0 50000']);
      expect([...seen]).to.have.length(2);
    });
  });
});
