import type { AwsOptions } from '../../../crds/aws-provider.ts';
import {
  type Draft,
  flag,
  list,
  type Meaning,
  number,
  oneOf,
  pairs,
  type Reader,
  text,
} from './read-values.ts';

export interface Annotation extends Meaning {
  /** After `service.beta.kubernetes.io/aws-load-balancer-`; `*` at its end is any text. */
  name: string;
}

const attribute = (key: string, becomes: string) =>
  text(becomes, (options, value) => {
    options.attributes = { ...options.attributes, [key]: value };
  });

const healthCheck =
  (set: (check: NonNullable<AwsOptions['healthCheck']>) => void) => (options: AwsOptions) => {
    const check = { ...options.healthCheck };
    set(check);
    options.healthCheck = check;
  };

const tls = (options: AwsOptions, set: (tls: NonNullable<AwsOptions['tls']>) => void) => {
  const draft = { ...options.tls };
  set(draft);
  options.tls = draft;
};

const readListenerAttributes: Reader = (draft, value) =>
  pairs('', (options, values) => {
    options.listenerAttributes = values;
  }).read?.(draft, value);

const notDone = (becomes: string): Meaning => ({ becomes });

const TABLE: Readonly<Record<string, Meaning>> = {
  type: oneOf(
    '`nlb-ip` is `targets.mode: Pod`; otherwise nothing: the loadBalancerClass says who serves the Service',
    ['external', 'nlb', 'nlb-ip'],
    (draft, value) => {
      if (value === 'nlb-ip') draft.targetsMode = 'Pod';
    },
  ),
  'nlb-target-type': oneOf(
    '`targets.mode`: `instance` is NodePort (the provider may say ForwardingPort), `ip` is Pod',
    ['instance', 'ip'],
    (draft, value) => {
      draft.targetsMode = value === 'ip' ? 'Pod' : 'NodePort';
    },
  ),
  name: text('`name`', (options, value) => {
    options.name = value;
  }),
  scheme: oneOf('`fairlead.dev/scheme`', ['internal', 'internet-facing'], (draft, value) => {
    draft.scheme = value === 'internal' ? 'Internal' : 'Public';
  }),
  // `scheme` is read later, and goes before.
  internal: oneOf(
    '`fairlead.dev/scheme`, where `scheme` is not given: `false` is Public',
    ['true', 'false', '0.0.0.0/0'],
    (draft, value) => {
      draft.scheme = value === 'false' ? 'Public' : 'Internal';
    },
  ),
  'proxy-protocol': oneOf(
    '`targetGroupAttributes` `proxy_protocol_v2.enabled: "true"`',
    ['*'],
    ({ options }) => {
      options.targetGroupAttributes = {
        ...options.targetGroupAttributes,
        'proxy_protocol_v2.enabled': 'true',
      };
    },
  ),
  'ip-address-type': oneOf('`ipAddressType`', ['ipv4', 'dualstack'], ({ options }, value) => {
    options.ipAddressType = value;
  }),
  'access-log-enabled': attribute('access_logs.s3.enabled', '`attributes` `access_logs.s3.enabled`'),
  'access-log-s3-bucket-name': attribute('access_logs.s3.bucket', '`attributes` `access_logs.s3.bucket`'),
  'access-log-s3-bucket-prefix': attribute('access_logs.s3.prefix', '`attributes` `access_logs.s3.prefix`'),
  'cross-zone-load-balancing-enabled': attribute(
    'load_balancing.cross_zone.enabled',
    '`attributes` `load_balancing.cross_zone.enabled`',
  ),
  attributes: pairs('`attributes`', (options, values) => {
    options.attributes = { ...options.attributes, ...values };
  }),
  'ssl-cert': list('`tls.certificateARNs`', (options, values) =>
    tls(options, (draft) => {
      draft.certificateARNs = values;
    }),
  ),
  'ssl-ports': list('`tls.ports`; `*` is all', (options, values) =>
    tls(options, (draft) => {
      draft.ports = values;
    }),
  ),
  'ssl-negotiation-policy': text('`tls.policy`', (options, value) =>
    tls(options, (draft) => {
      draft.policy = value;
    }),
  ),
  'alpn-policy': oneOf(
    '`tls.alpnPolicy`',
    ['HTTP1Only', 'HTTP2Only', 'HTTP2Optional', 'HTTP2Preferred', 'None'],
    ({ options }, value) =>
      tls(options, (draft) => {
        draft.alpnPolicy = value;
      }),
  ),
  'backend-protocol': {
    becomes: '`tls.backendProtocol`: `ssl` is TLS, all else is TCP',
    // Manifests of classic load balancers say http or https, which AWS' controller takes for tcp:
    // https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/pkg/service/model_build_listener.go
    read: ({ options }, value) => {
      tls(options, (draft) => {
        draft.backendProtocol = value === 'ssl' ? 'TLS' : 'TCP';
      });
      const isClear = value === 'ssl' || value.toLowerCase() === 'tcp';
      return isClear ? undefined : { means: 'TCP to targets; only ssl means TLS' };
    },
  },
  'additional-resource-tags': pairs('`tags`', (options, values) => {
    options.tags = values;
  }),
  'healthcheck-protocol': oneOf('`healthCheck.protocol`', ['TCP', 'HTTP', 'HTTPS'], ({ options }, value) =>
    healthCheck((check) => {
      check.protocol = value;
    })(options),
  ),
  'healthcheck-port': text('`healthCheck.port`', (options, value) =>
    healthCheck((check) => {
      check.port = value;
    })(options),
  ),
  'healthcheck-path': text('`healthCheck.path`', (options, value) =>
    healthCheck((check) => {
      check.path = value;
    })(options),
  ),
  'healthcheck-success-codes': text('`healthCheck.successCodes`', (options, value) =>
    healthCheck((check) => {
      check.successCodes = value;
    })(options),
  ),
  'healthcheck-interval': number('`healthCheck.intervalSeconds`', [5, 300], (options, value) =>
    healthCheck((check) => {
      check.intervalSeconds = value;
    })(options),
  ),
  'healthcheck-timeout': number('`healthCheck.timeoutSeconds`', [2, 120], (options, value) =>
    healthCheck((check) => {
      check.timeoutSeconds = value;
    })(options),
  ),
  'healthcheck-healthy-threshold': number('`healthCheck.healthyThreshold`', [2, 10], (options, value) =>
    healthCheck((check) => {
      check.healthyThreshold = value;
    })(options),
  ),
  'healthcheck-unhealthy-threshold': number('`healthCheck.unhealthyThreshold`', [2, 10], (options, value) =>
    healthCheck((check) => {
      check.unhealthyThreshold = value;
    })(options),
  ),
  'eip-allocations': list('`elasticIPs`', (options, values) => {
    options.elasticIPs = values;
  }),
  'private-ipv4-addresses': list('`privateAddresses`', (options, values) => {
    options.privateAddresses = values;
  }),
  'ipv6-addresses': list('`ipv6Addresses`', (options, values) => {
    options.ipv6Addresses = values;
  }),
  'target-group-attributes': pairs('`targetGroupAttributes`', (options, values) => {
    options.targetGroupAttributes = { ...options.targetGroupAttributes, ...values };
  }),
  subnets: list('`subnets`', (options, values) => {
    options.subnets = values;
  }),
  'target-node-labels': pairs('`targetNodeLabels`', (options, values) => {
    options.targetNodeLabels = values;
  }),
  'security-groups': list('`securityGroups`, ids or tags Name', (options, values) => {
    options.securityGroups = values;
  }),
  'manage-backend-security-group-rules': flag('`manageBackendRules`', (options, value) => {
    options.manageBackendRules = value;
  }),
  'disable-nlb-sg': flag('`manageSecurityGroup: false`', (options, value) => {
    options.manageSecurityGroup = !value;
  }),
  'listener-attributes.*': {
    becomes: '`listenerAttributes`, of all ports of TCP: those of several have to say the same',
    read: ({ options }, value) => {
      const known = options.listenerAttributes ?? {};
      const draft: Draft = { options: {} };
      const right = readListenerAttributes(draft, value);
      if (right !== undefined) return right;
      const { listenerAttributes = {} } = draft.options;
      const differs = Object.entries(listenerAttributes).some(
        ([key, each]) => known[key] !== undefined && known[key] !== each,
      );
      if (differs) return 'the same for each port';
      options.listenerAttributes = { ...known, ...listenerAttributes };
      return undefined;
    },
  },
  'enable-tcp-udp-listener': flag('nothing: TCP and UDP of one port are one listener always', () => {}),
  'enable-icmp-for-path-mtu-discovery': oneOf(
    'nothing: a managed group always lets in what path MTU discovery needs',
    ['on', 'off'],
    () => {},
  ),
  'proxy-protocol-per-target-group': notDone(
    'nothing: proxy-protocol and target-group-attributes are for all ports',
  ),
  'eip-allocations-discovery-tags': notDone('nothing: name the elastic IPs in eip-allocations'),
  'inbound-sg-rules-on-private-link-traffic': notDone('nothing: set it at AWS, where it is left as it is'),
  'security-group-prefix-lists': notDone('nothing: name a group of your own in security-groups'),
  'multi-cluster-target-group': notDone('nothing: a target group belongs to one cluster'),
  'minimum-load-balancer-capacity': notDone('nothing: reserve capacity by hand'),
  'quic-enabled-ports': notDone('nothing: QUIC is served as UDP'),
  'enable-prefix-for-ipv6-source-nat': notDone("nothing: UDP isn't served by a dualstack load balancer"),
  'source-nat-ipv6-prefixes': notDone("nothing: UDP isn't served by a dualstack load balancer"),
};

/** What becomes of each annotation of the AWS Load Balancer Controller that is known here. */
export const ANNOTATIONS: readonly Annotation[] = Object.entries(TABLE).map(([name, rest]) => ({
  name,
  ...rest,
}));
