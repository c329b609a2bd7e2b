// A provider of one's own for Fairlead, with no library: docs/providers/webhook.md tells the contract.
// The device of this one is a JSON file. Put the calls of yours in the place of `load` and `save`.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { json } from 'node:stream/consumers';

const apiVersion = 'provider.fairlead.dev/v1';
const { PORT = '8080', DEVICE = 'device.json', TOKEN, TLS_CERT, TLS_KEY } = process.env;

const load = () => (existsSync(DEVICE) ? JSON.parse(readFileSync(DEVICE, 'utf8')) : {});
const save = (device) => {
  writeFileSync(`${DEVICE}.new`, JSON.stringify(device, null, 2));
  renameSync(`${DEVICE}.new`, DEVICE);
};
/** An HTTP status, one CamelCase word, and what to tell people. */
const refuse = (status, reason, message, retryAfterSeconds) => {
  throw Object.assign(new Error(message), { status, reason, retryAfterSeconds });
};
const keyOf = ({ clusterId, namespace, name }) => `${clusterId}/${namespace}/${name}`;
const addressesOf = ({ parameters }) => (parameters.addresses ?? '').split(/[ ,]+/).filter(Boolean);
const stateOf = (key, { address }) => ({ providerID: key, ingress: [{ ip: address, ipMode: 'Proxy' }] });

/** What the device is to have: { "listen 80/TCP": "10.0.0.1:30080, 10.0.0.2:30080 (draining)", "allow": "everybody" } */
const render = ({ frontends, sourceRanges = ['everybody'] }) => {
  const targetOf = ({ addresses: [address], port, draining }) =>
    `${address.includes(':') ? `[${address}]` : address}:${port}${draining ? ' (draining)' : ''}`;
  const config = { allow: sourceRanges.join(', ') };
  for (const { port, protocol, targets } of frontends)
    config[`listen ${port}/${protocol}`] = targets.map(targetOf).join(', ');
  return config;
};

const operations = {
  validate: ({ provider }) => {
    const message = 'webhook.parameters.addresses names no address: "192.0.2.10, 192.0.2.11".';
    return { findings: addressesOf(provider).length > 0 ? [] : [{ reason: 'NoAddresses', message }] };
  },
  plan: ({ id, desired }) => {
    const found = load()[keyOf(id)];
    const [wanted, has] = [render(desired), found?.config ?? {}];
    const fields = [...new Set([...Object.keys(wanted), ...Object.keys(has)])]
      .map((field) => ({ field, actual: has[field] ?? '(none)', expected: wanted[field] ?? '(none)' }))
      .filter(({ actual, expected }) => actual !== expected);
    const action = found === undefined ? 'Create' : 'Update';
    const summary = `${action} a virtual server: ${fields.map(({ field }) => field).join(', ')}`;
    const changes = fields.length === 0 ? [] : [{ action, resource: 'VirtualServer', summary, fields }];
    return { changes, state: found === undefined ? { ingress: [] } : stateOf(keyOf(id), found) };
  },
  apply: ({ id, desired, provider }) => {
    if (desired.sharedAddress) refuse(422, 'SharingNotPossible', 'This device shares no address.');
    const [device, key] = [load(), keyOf(id)];
    const taken = new Set(Object.values(device).map(({ address }) => address));
    const address = device[key]?.address ?? addressesOf(provider).find((each) => !taken.has(each));
    if (!address) refuse(503, 'NoAddressLeft', 'Every address of the device is taken.', 30);
    device[key] = { id, address, config: render(desired) };
    save(device);
    return { state: stateOf(key, device[key]) };
  },
  observe: ({ clusterId, id, provider }) => {
    const isAsked = ({ id: each }) =>
      id === undefined
        ? each.clusterId === clusterId && each.name.endsWith(`.${provider.name}`)
        : keyOf(each) === keyOf(id) && each.serviceUid === id.serviceUid;
    const found = Object.entries(load()).filter(([, each]) => isAsked(each));
    return { loadBalancers: found.map(([key, each]) => ({ id: each.id, state: stateOf(key, each) })) };
  },
  delete: ({ id }) => {
    const device = load();
    if (device[keyOf(id)]?.id.serviceUid === id.serviceUid) save({ ...device, [keyOf(id)]: undefined });
    return { gone: true };
  },
};

const NEEDED = { plan: ['id', 'desired'], apply: ['id', 'desired'], observe: ['clusterId'], delete: ['id'] };

const answer = async (request, response) => {
  response.setHeader('content-type', 'application/json');
  const send = (status, body) => response.writeHead(status).end(JSON.stringify({ apiVersion, ...body }));
  try {
    if (TOKEN && request.headers.authorization !== `Bearer ${TOKEN}`)
      refuse(401, 'Unauthorized', 'The token is missing or wrong.');
    const [, name = ''] = /^\/v1\/([a-z]+)$/.exec(request.url) ?? [];
    if (request.method !== 'POST' || !Object.hasOwn(operations, name))
      refuse(404, 'NotFound', 'No such path.');
    const body = await json(request).catch(() => refuse(400, 'BadRequest', 'The body is not JSON.'));
    if (body?.apiVersion !== apiVersion) refuse(400, 'UnsupportedVersion', `It speaks ${apiVersion}.`);
    const missing = ['provider', ...(NEEDED[name] ?? [])].find((field) => body[field] === undefined);
    if (missing !== undefined) refuse(400, 'BadRequest', `${missing} is missing.`);
    send(200, operations[name](body));
  } catch ({ status = 500, reason = 'InternalError', message, retryAfterSeconds }) {
    send(status, { reason, message, retryAfterSeconds });
  }
};

const tls = TLS_CERT && { cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) };
const server = tls ? https.createServer(tls, answer) : http.createServer(answer);
server.listen(Number(PORT), () => console.log(`listening on ${server.address().port}`));
