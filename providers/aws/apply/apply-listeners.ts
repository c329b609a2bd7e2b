import type { Listener } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ClassedError, isClass } from '../../../kube/errors.ts';
import type { ListenerModel } from '../model.ts';
import { lacks, readListener, writeTags } from '../observe/read-answers.ts';
import type { ObservedListener } from '../observed.ts';
import type { ChangeOf, StackWriter } from './stack-writer.ts';

/** A port has one listener: a second try finds the first one's. */
export async function createListener(
  writer: StackWriter,
  { loadBalancer, listener: model, targetGroupName }: ChangeOf<'CreateListener'>,
): Promise<void> {
  if (writer.findListener(loadBalancer, model.port, model.protocol) !== undefined) return;
  const { arn } = writer.loadBalancer(loadBalancer);
  const input = {
    LoadBalancerArn: arn,
    Port: model.port,
    ...writeListener(writer, model, targetGroupName),
    Tags: writeTags(model.tags),
  };
  try {
    const { Listeners: [answer] = [] } = await writer.call('CreateListener', input);
    if (answer?.ListenerArn === undefined) throw lacks('the listener that was made');
    remember(writer, loadBalancer, { ...readListener(answer, { ...model.tags }), attributes: {} });
  } catch (error) {
    if (!isClass(error, 'Conflict')) throw error;
    await writer.readListeners(loadBalancer);
    const made = writer.findListener(loadBalancer, model.port, model.protocol);
    const taken = writer.loadBalancer(loadBalancer).listeners.find(({ port }) => port === model.port);
    if (taken === undefined) throw notVisible(model.port);
    writer.checkOurs(
      `a listener on port ${model.port} of load balancer ${loadBalancer}`,
      (made ?? taken).tags,
    );
    if (made === undefined) throw error;
  }
  await addCertificates(writer, loadBalancer, model);
}

export async function modifyListener(
  writer: StackWriter,
  { formerProtocol, loadBalancer, listener: model, targetGroupName }: ChangeOf<'ModifyListener'>,
): Promise<void> {
  const known = await writer.listener(loadBalancer, model.port, formerProtocol ?? model.protocol);
  const input = { ListenerArn: known.arn, ...writeListener(writer, model, targetGroupName) };
  const { Listeners: [answer] = [] } = await writer.call('ModifyListener', input);
  const read = answer === undefined ? undefined : readListener(answer, known.tags);
  remember(writer, loadBalancer, {
    ...known,
    protocol: model.protocol,
    sslPolicy: read?.sslPolicy ?? model.sslPolicy,
    alpnPolicy: read?.alpnPolicy ?? model.alpnPolicy,
    targetGroupArn: writer.targetGroup(targetGroupName).arn,
    // The default one changed; the others are as they were, and go with TLS.
    certificates:
      model.protocol === 'TLS' ? [...model.certificates.slice(0, 1), ...known.certificates.slice(1)] : [],
  });
  await addCertificates(writer, loadBalancer, model);
  await removeCertificates(writer, loadBalancer, model);
}

export async function modifyListenerAttributes(
  writer: StackWriter,
  { loadBalancer, port, protocol, attributes }: ChangeOf<'ModifyListenerAttributes'>,
): Promise<void> {
  const known = await writer.listener(loadBalancer, port, protocol);
  await writer.call('ModifyListenerAttributes', {
    ListenerArn: known.arn,
    Attributes: writeTags(attributes),
  });
  remember(writer, loadBalancer, { ...known, attributes: { ...known.attributes, ...attributes } });
}

export async function deleteListener(
  writer: StackWriter,
  { loadBalancer, member, port, protocol }: ChangeOf<'DeleteListener'>,
): Promise<void> {
  if (writer.findLoadBalancer(loadBalancer) === undefined) return;
  const found = writer.findListener(loadBalancer, port, protocol);
  if (found === undefined || (member !== undefined && found.member !== member)) return;
  const known = await writer.listener(loadBalancer, port, protocol);
  try {
    await writer.call('DeleteListener', { ListenerArn: known.arn });
  } catch (error) {
    if (!isClass(error, 'NotFound')) throw error;
  }
  writer.wrote(() => {
    const found = writer.loadBalancer(loadBalancer);
    found.listeners = found.listeners.filter(({ arn }) => arn !== known.arn);
  });
}

/** All but the first, which comes with the listener itself (SNI). */
async function addCertificates(
  writer: StackWriter,
  loadBalancer: string,
  model: ListenerModel,
): Promise<void> {
  if (model.certificates.length < 2) return;
  const known = await writer.listener(loadBalancer, model.port, model.protocol);
  const missing = model.certificates.slice(1).filter((each) => !known.certificates.includes(each));
  if (missing.length === 0) return;
  await writer.call('AddListenerCertificates', {
    ListenerArn: known.arn,
    Certificates: missing.map(writeCertificate),
  });
  remember(writer, loadBalancer, { ...known, certificates: [...known.certificates, ...missing] });
}

async function removeCertificates(
  writer: StackWriter,
  loadBalancer: string,
  model: ListenerModel,
): Promise<void> {
  const known = await writer.listener(loadBalancer, model.port, model.protocol);
  const extra = known.certificates.slice(1).filter((each) => !model.certificates.includes(each));
  if (extra.length === 0) return;
  await writer.call('RemoveListenerCertificates', {
    ListenerArn: known.arn,
    Certificates: extra.map(writeCertificate),
  });
  const certificates = known.certificates.filter((each) => !extra.includes(each));
  remember(writer, loadBalancer, { ...known, certificates });
}

function writeCertificate(arn: string): { CertificateArn: string } {
  return { CertificateArn: arn };
}

function writeListener(writer: StackWriter, model: ListenerModel, targetGroupName: string) {
  const [certificate] = model.certificates;
  const TargetGroupArn = writer.targetGroup(targetGroupName).arn;
  return {
    Protocol: model.protocol,
    DefaultActions: [{ Type: 'forward' as const, TargetGroupArn }],
    ...(certificate === undefined ? {} : { Certificates: [writeCertificate(certificate)] }),
    ...(model.sslPolicy === undefined ? {} : { SslPolicy: model.sslPolicy }),
    ...(model.alpnPolicy === undefined ? {} : { AlpnPolicy: [model.alpnPolicy] }),
  } satisfies Partial<Listener>;
}

/** AWS knows of it where it's made, and not yet where it's read. */
function notVisible(port: number): ClassedError {
  return new ClassedError(`AWS doesn't tell yet which listener has port ${port}.`, {
    class: 'Transient',
    reason: 'NotVisibleYet',
    retryAfterSeconds: 5,
  });
}

function remember(writer: StackWriter, loadBalancer: string, listener: ObservedListener): void {
  writer.wrote(() => {
    const known = writer.loadBalancer(loadBalancer);
    known.listeners = [...known.listeners.filter(({ arn }) => arn !== listener.arn), listener];
  });
}
