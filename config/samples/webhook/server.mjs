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
const ingressOf = ({ config }) => [{ ip: config.address, ipMode: 'Proxy' }];

/** What the device is to have: { "address": "192.0.2.10", "allow": "everybody", "listen 80/TCP": "10.0.0.1:30080" } */
const render = (device, { id, desired, provider }) => {
  const { addresses, frontends, sourceRanges = ['everybody'], sessionAffinitySeconds = 0 } = desired;
  const taken = new Set(Object.values(device).map(({ config }) => config.address));
  const free = addressesOf(provider).find((each) => !taken.has(each));
  const address = addresses?.[0]?.ip ?? device[keyOf(id)]?.config.address ?? free;
  const targetOf = ({ addresses: [ip], port, draining }) =>
    `${ip.includes(':') ? `[${ip}]` : ip}:${port}${draining ? ' (draining)' : ''}`;
  const listeners = frontends.map(({ port, protocol, targets }) => {
    return [`listen ${port}/${protocol}`, targets.map(targetOf).join(', ')];
  });
  const sticky = sessionAffinitySeconds > 0 && { sticky: `${sessionAffinitySeconds} s` };
  return { address, allow: sourceRanges.join(', '), ...sticky, ...Object.fromEntries(listeners) };
};

const operations = {
  validate: ({ provider }) => {
    const message = 'webhook.parameters.addresses names no address: "192.0.2.10, 192.0.2.11".';
    const isFine = provider.addresses === 'Pools' || addressesOf(provider).length > 0;
    return { findings: isFine ? [] : [{ reason: 'NoAddresses', message }] };
  },
  plan: (body) => {
    const found = load()[keyOf(body.id)];
    const [wanted, has] = [render(load(), body), found?.config ?? {}];
    const fields = [...new Set([...Object.keys(wanted), ...Object.keys(has)])]
      .map((field) => ({ field, actual: has[field] ?? '(none)', expected: wanted[field] ?? '(none)' }))
      .filter(({ actual, expected }) => actual !== expected);
    const action = found === undefined ? 'Create' : 'Update';
    const summary = `${action} a virtual server: ${fields.map(({ field }) => field).join(', ')}`;
    const changes = fields.length === 0 ? [] : [{ action, resource: 'VirtualServer', summary, fields }];
    return { changes, state: { ingress: found === undefined ? [] : ingressOf(found) } };
  },
  apply: (body) => {
    if (body.desired.sharedAddress) refuse(422, 'SharingNotPossible', 'This device shares no address.');
    const entry = { id: body.id, config: render(load(), body) };
    if (!entry.config.address) refuse(503, 'NoAddressLeft', 'Every address of the device is taken.', 30);
    save({ ...load(), [keyOf(body.id)]: entry });
    return { state: { ingress: ingressOf(entry) } };
  },
  observe: ({ clusterId, id, provider }) => {
    const isAsked = ({ id: each }) =>
      id === undefined
        ? each.clusterId === clusterId && each.name.endsWith(`.${provider.name}`)
        : keyOf(each) === keyOf(id) && each.serviceUid === id.serviceUid;
    const found = Object.values(load()).filter(isAsked);
    return { loadBalancers: found.map((each) => ({ id: each.id, state: { ingress: ingressOf(each) } })) };
  },
  delete: ({ id }) => {
    const isOurs = load()[keyOf(id)]?.id.serviceUid === id.serviceUid;
    if (isOurs) save({ ...load(), [keyOf(id)]: undefined });
    return { gone: true };
  },
};

const answer = async (request, response) => {
  response.setHeader('content-type', 'application/json');
  const send = (status, body) => response.writeHead(status).end(JSON.stringify({ apiVersion, ...body }));
  try {
    if (TOKEN && request.headers.authorization !== `Bearer ${TOKEN}`)
      refuse(401, 'Unauthorized', 'Wrong token.');
    const [, name = ''] = /^\/v1\/([a-z]+)$/.exec(request.method === 'POST' ? request.url : '') ?? [];
    if (!Object.hasOwn(operations, name)) refuse(404, 'NotFound', 'There is no such path.');
    const body = await json(request).catch(() => refuse(400, 'BadRequest', 'The body is not JSON.'));
    if (body?.apiVersion !== apiVersion) refuse(400, 'UnsupportedVersion', `It speaks ${apiVersion}.`);
    const needed = { validate: 'provider', observe: 'clusterId' }[name] ?? 'id';
    if (body[needed] === undefined) refuse(400, 'BadRequest', `${needed} is missing.`);
    send(200, operations[name](body));
  } catch ({ status = 500, reason = 'InternalError', message, retryAfterSeconds }) {
    send(status, { reason, message, retryAfterSeconds });
  }
};

const tls = TLS_CERT && { cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) };
const server = tls ? https.createServer(tls, answer) : http.createServer(answer);
server.listen(Number(PORT), () => console.log(`listening on ${server.address().port}`));
