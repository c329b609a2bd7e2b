import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { HandOver } from '../../../agent/hand-over.ts';
import type { Service } from '../../../kube/objects.ts';

const LABEL = 'service.kubernetes.io/service-proxy-name';
const KEY = 'default/web';

function service(proxy?: string, uid = 'uid-1'): Service {
  return {
    metadata: {
      name: 'web',
      namespace: 'default',
      uid,
      labels: { app: 'web', ...(proxy === undefined ? {} : { [LABEL]: proxy }) },
    },
    spec: { clusterIP: '10.96.0.1' },
  };
}

describe('agent: handing a Service over to the other proxy', () => {
  let again: string[];
  let handOver: HandOver;
  const served = (object: Service, serve: 'Own' | 'All' = 'Own') =>
    handOver.asServed(KEY, object, serve).metadata.labels;

  beforeEach(() => {
    again = [];
    handOver = new HandOver((key) => again.push(key), 10);
  });

  afterEach(() => handOver.stop());

  it('serves on for a moment what has lost our label, then looks at it again', async () => {
    served(service('fairlead'));
    expect(served(service())).to.deep.equal({ app: 'web', [LABEL]: 'fairlead' });
    expect(served(service()), 'however often it changes').to.include({ [LABEL]: 'fairlead' });
    await sleep(30);
    expect(again).to.deep.equal([KEY]);
    expect(served(service())).to.deep.equal({ app: 'web' });
  });

  it('never begins to serve what had no label', () => {
    expect(served(service())).to.deep.equal({ app: 'web' });
  });

  it('keeps nothing that names a third proxy, or is another Service of that name', () => {
    served(service('fairlead'));
    expect(served(service('somebody-else'))).to.include({ [LABEL]: 'somebody-else' });
    expect(served(service())).to.deep.equal({ app: 'web' });

    served(service('fairlead'));
    expect(served(service(undefined, 'uid-2'))).to.deep.equal({ app: 'web' });
  });

  it('keeps nothing that was deleted', async () => {
    served(service('fairlead'));
    served(service());
    handOver.forget(KEY);
    await sleep(30);
    expect(again).to.deep.equal([]);
  });

  it('stays with what has its label back', async () => {
    served(service('fairlead'));
    served(service());
    served(service('fairlead'));
    await sleep(30);
    expect(again).to.deep.equal([]);
  });

  it('has nothing to hand over where there is no other proxy', () => {
    served(service('fairlead'), 'All');
    expect(served(service(), 'All')).to.deep.equal({ app: 'web' });
  });
});
