import { expect } from 'chai';
import type { KubeClient } from '../../../kube/client.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import type { ControlPlane } from '../../controlplane/control-plane.ts';
import { sharedCluster } from '../support/cluster.ts';
import {
  type Action,
  AGENT_MUST_NOT,
  AGENT_NEEDS,
  describeAction,
  EDGE_MUST_NOT,
  EDGE_NEEDS,
  NOBODY_MAY,
  OPERATOR_MUST_NOT,
  OPERATOR_NEEDS,
} from './support/grants.ts';
import { buildConfig, installRights, SYSTEM_NAMESPACE } from './support/install.ts';

interface Role extends KubeObject {
  rules?: { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] }[];
}

const COMPONENTS = [
  {
    account: 'fairlead-operator',
    needs: OPERATOR_NEEDS,
    mustNot: [...NOBODY_MAY, ...OPERATOR_MUST_NOT],
    roles: 2,
  },
  { account: 'fairlead-agent', needs: AGENT_NEEDS, mustNot: [...NOBODY_MAY, ...AGENT_MUST_NOT], roles: 2 },
  { account: 'fairlead-edge', needs: EDGE_NEEDS, mustNot: [...NOBODY_MAY, ...EDGE_MUST_NOT], roles: 2 },
];

/** Asks the authorizer that the API server itself uses. */
async function isAllowed(client: KubeClient, account: string, action: Action): Promise<boolean> {
  const groups = [
    'system:serviceaccounts',
    `system:serviceaccounts:${SYSTEM_NAMESPACE}`,
    'system:authenticated',
  ];
  const user = `system:serviceaccount:${SYSTEM_NAMESPACE}:${account}`;
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, groups, resourceAttributes: { version: '*', ...action } },
  };
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  return (await client.request<{ status: { allowed: boolean } }>('POST', path, { body })).status.allowed;
}

/** Every single right in a role, so that lists of them can be compared. */
function rightsOf(role: Role): string[] {
  const where = role.kind === 'Role' ? { namespace: SYSTEM_NAMESPACE } : {};
  return (role.rules ?? []).flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((full) => {
        const [resource = '', subresource] = full.split('/');
        const names: (string | undefined)[] = resourceNames ?? [undefined];
        return names.flatMap((name) =>
          verbs.map((verb) =>
            describeAction({
              verb,
              group,
              resource,
              ...(subresource === undefined ? {} : { subresource }),
              ...where,
              ...(name === undefined ? {} : { name }),
            }),
          ),
        );
      }),
    ),
  );
}

describe('Rights that config/rbac grants', function () {
  this.timeout(60_000);
  let cluster: ControlPlane;
  let client: KubeClient;
  let objects: Role[];

  before(async function () {
    this.timeout(600_000);
    cluster = await sharedCluster();
    client = cluster.adminClient();
    await installRights(cluster);
    objects = await buildConfig(cluster, 'rbac');
  });

  for (const { account, needs, mustNot, roles: count } of COMPONENTS) {
    describe(account, () => {
      it('may do what it needs', async () => {
        const missing: string[] = [];
        for (const action of needs) {
          if (!(await isAllowed(client, account, action))) missing.push(describeAction(action));
        }

        expect(missing).to.deep.equal([]);
      });

      it('may not do harm', async () => {
        const granted: string[] = [];
        for (const action of mustNot) {
          if (await isAllowed(client, account, action)) granted.push(describeAction(action));
        }

        expect(granted).to.deep.equal([]);
      });

      it('is granted nothing that it does not need', () => {
        const roles = objects.filter(
          ({ kind, metadata }) => /Role$/.test(kind ?? '') && metadata.name === account,
        );

        expect(roles).to.have.length(count);
        expect(roles.flatMap(rightsOf)).to.have.members(needs.map(describeAction));
      });
    });
  }

  it('name every verb, group and resource', () => {
    const wild = objects.filter((role) => JSON.stringify(role.rules ?? []).includes('*'));

    expect(wild.map(({ metadata }) => metadata.name)).to.deep.equal([]);
  });

  it('let viewers read what is not secret, and nothing more', () => {
    const view = objects.find(({ metadata }) => metadata.name === 'fairlead-view');

    expect(new Set((view?.rules ?? []).flatMap(({ verbs }) => verbs))).to.have.keys('get', 'list', 'watch');
  });
});
