import { expect } from 'chai';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import type { LoadBalancerIngress, Service } from '../../../kube/objects.ts';
import { keyOf } from '../../../kube/resources.ts';
import { shownIngress } from '../../../operator/reconcile/shown-ingress.ts';
import { makeLoadBalancer, makeService } from '../plan/objects.ts';

const at = (...ips: string[]) => ips.map((ip) => ({ ip }));

interface Case {
  feedsService?: boolean;
  service?: LoadBalancerIngress[];
  claimed?: string[];
  status?: LoadBalancerIngress[];
  pending?: LoadBalancerIngress[];
  /** In the cache by now. */
  since?: LoadBalancerIngress[];
  /** Of the same Service. */
  others?: { claimed?: string[]; status?: LoadBalancerIngress[] }[];
  expected: LoadBalancerIngress[];
}

function make(provider: string, { claimed, status }: Pick<Case, 'claimed' | 'status'>): LoadBalancer {
  const addresses = claimed?.map((address) => ({ address, family: 'IPv4' as const, pool: 'p' }));
  return {
    ...makeLoadBalancer(provider, addresses === undefined ? {} : { addresses }),
    ...(status === undefined ? {} : { status: { ingress: status } }),
  };
}

describe('What clients were told last of a load balancer', () => {
  const cases: Record<string, Case> = {
    'that feeds the Service, which says so': {
      service: at('192.0.2.1'),
      claimed: ['192.0.2.1', '192.0.2.2'],
      status: at('192.0.2.9'),
      expected: at('192.0.2.1'),
    },
    'that is to feed the Service, which shows another one yet': {
      service: at('192.0.2.1'),
      claimed: ['192.0.2.2'],
      status: at('192.0.2.2'),
      expected: at('192.0.2.2'),
    },
    'that feeds nothing': {
      feedsService: false,
      service: at('192.0.2.1'),
      claimed: ['192.0.2.2'],
      status: at('192.0.2.2'),
      expected: at('192.0.2.2'),
    },
    'whose status is not written yet': {
      feedsService: false,
      service: at('192.0.2.1'),
      pending: at('192.0.2.2'),
      expected: at('192.0.2.2'),
    },
    'whose status was written meanwhile': {
      feedsService: false,
      since: at('192.0.2.2'),
      expected: at('192.0.2.2'),
    },
    'whose status is older than what is to be written': {
      feedsService: false,
      status: at('192.0.2.2'),
      pending: [],
      expected: [],
    },
    'with addresses of its own, whose status got lost': {
      service: at('192.0.2.1'),
      expected: at('192.0.2.1'),
    },
    'that brings its own and has none yet, where another one is shown': {
      service: at('192.0.2.3', '192.0.2.4', '192.0.2.5'),
      others: [{ claimed: ['192.0.2.3'] }, { status: at('192.0.2.4') }],
      expected: at('192.0.2.5'),
    },
  };
  for (const [name, given] of Object.entries(cases)) {
    it(name, () => {
      const { feedsService = true, service, pending, since, others = [], expected } = given;
      const shown: Service = { ...makeService(), status: { loadBalancer: { ingress: service ?? [] } } };
      const existing = make('usual', given);
      const told = pending && { provider: { ingress: pending }, conditions: [] };
      const latest = since && { ...existing, status: { ingress: since } };
      const all = [existing, ...others.map((each, index) => make(`other-${index}`, each))];
      const context = {
        toldLoadBalancer: (key: string) => (key === keyOf(existing) ? told : undefined),
        caches: {
          freshLoadBalancers: {
            get: (key: string) => (key === keyOf(existing) ? latest : undefined),
            byGroup: () => all,
          },
        },
      };
      expect(shownIngress(context, { service: shown, feedsService }, existing)).to.deep.equal(expected);
    });
  }
});
