import { expect } from 'chai';
import type { KubeObject } from '../../../kube/objects.ts';
import { Store } from '../../../kube/store.ts';
import { FreshView } from '../../../operator/reconcile/fresh-view.ts';

const make = (version: number, uid = 'u', group = 'g'): KubeObject => ({
  metadata: { name: 'one', uid, resourceVersion: `${version}`, labels: { group } },
});
const groupOf = ({ metadata }: KubeObject) => metadata.labels?.group ?? '';

function setUp() {
  const store = new Store<KubeObject>().addIndex('group', (object) => [groupOf(object)]);
  const view = new FreshView(store, { index: 'group', of: groupOf });
  const echoes: boolean[] = [];
  store.onChange(({ object }) => echoes.push(view.isEcho(object)));
  const version = () => view.get('one')?.metadata.resourceVersion;
  return { store, view, echoes, version };
}

describe('reconcile/fresh-view', () => {
  it('shows the answer of a write before the watch has it, by key and by group', () => {
    const { view, version } = setUp();
    view.note(make(5));
    expect(version()).to.equal('5');
    expect(view.byGroup('g')).to.have.length(1);
  });

  it('lists what was written and the watch has not, and each once', () => {
    const { store, view } = setUp();
    store.upsert({ metadata: { name: 'other', uid: 'o', resourceVersion: '2' } });
    store.upsert(make(3));
    view.note(make(5));
    view.note({ metadata: { name: 'new', uid: 'n', resourceVersion: '6' } });
    const listed = view.list().map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
    expect(listed).to.have.members(['one 5', 'other 2', 'new 6']);
  });

  it('goes on showing it while the watch tells what was before', () => {
    const { store, view, version } = setUp();
    view.note(make(5));
    store.upsert(make(3));
    expect(version()).to.equal('5');
    expect(view.byGroup('g').map(({ metadata }) => metadata.resourceVersion)).to.deep.equal(['5']);
  });

  it('shows what the watch has once that is newer', () => {
    const { store, view, version } = setUp();
    view.note(make(5));
    store.upsert(make(7, 'u', 'other'));
    expect(version()).to.equal('7');
    expect(view.byGroup('g')).to.deep.equal([]);
  });

  it('ignores an answer that the watch was ahead of', () => {
    const { store, view, version } = setUp();
    store.upsert(make(7));
    view.note(make(5));
    expect(version()).to.equal('7');
  });

  it('brings nothing back that was deleted before the answer came', () => {
    const { store, view, version } = setUp();
    store.upsert(make(3));
    store.remove(make(6));
    view.note(make(5));
    expect(version()).to.equal(undefined);
  });

  it('forgets the answer when the object is deleted', () => {
    const { store, view, version } = setUp();
    store.upsert(make(3));
    view.note(make(5));
    store.remove(make(6));
    expect(version()).to.equal(undefined);
  });

  it('keeps the answer for a new object when the old one of its name is deleted', () => {
    const { store, view, version } = setUp();
    store.upsert(make(3, 'old'));
    view.note(make(5, 'new'));
    store.remove(make(4, 'old'));
    expect(version()).to.equal('5');
  });

  it('knows its own write again when the watch brings it, and nothing else', () => {
    const { store, view, echoes } = setUp();
    view.note(make(5));
    store.upsert(make(3));
    store.upsert(make(5));
    store.upsert(make(6));
    view.note(make(8));
    store.upsert(make(9));
    expect(echoes).to.deep.equal([false, true, false, false]);
  });

  it('forgets an answer that a later listing does not have: it was deleted while nobody watched', () => {
    const { store, view, version } = setUp();
    view.note(make(5));
    store.replace([], '9');
    expect(version()).to.equal(undefined);
    expect(view.byGroup('g')).to.deep.equal([]);
    expect(view.wasDeleted('u')).to.equal(true);
  });

  it('keeps an answer that came after a listing was begun', () => {
    const { store, view, version } = setUp();
    view.note(make(5));
    store.replace([], '4');
    expect(version()).to.equal('5');
  });
});
