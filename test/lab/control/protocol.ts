import type { PlainObject } from '../../peers/aws/plain.ts';
import type { CloudCall } from '../cloud.ts';
import type { DeviceAccess, DeviceDeclaration, DeviceState } from '../device.ts';
import type { LabStep } from '../lab.ts';
import type { HttpRequest, ProbeResult } from '../probe/probe-protocol.ts';

export interface LabStatus {
  /** The admin's kubeconfig, as text: for the API server's address inside of the lab. */
  kubeconfig: string;
  kubectlPath: string;
}

/** What one may ask of a running lab, over its control socket. */
export interface LabMethods {
  /** Resolves once the lab is ready; steps are told as they are done. Rejects when it could not be started. */
  ready: { params: Record<string, never>; result: LabStatus };
  /** Runs a program in a network namespace; output is told as it comes. */
  exec: { params: { namespace: string; command: string[] }; result: { status: number } };
  nodeDown: { params: { node: string }; result: null };
  nodeUp: { params: { node: string }; result: null };
  /** Kills a process without goodbye: `operator`, or `agent` or `kubelet` of a node; and starts it. */
  kill: { params: { process: string; node?: string }; result: null };
  start: { params: { process: string; node?: string }; result: null };
  request: { params: HttpRequest; result: ProbeResult };
  /** Begins steady requests from the client outside; answers with the number to stop them by. */
  steady: { params: { request: HttpRequest; perSecond: number }; result: number };
  stopSteady: { params: { load: number }; result: ProbeResult[] };
  /** Starts a machine with an edge for a provider; answers with its name and how it is reached. */
  startEdge: { params: { provider: string }; result: { name: string; outside: string } };
  /** Starts AWS' stand-in, where each node is an instance from then on. */
  startCloud: {
    params: Record<string, never>;
    result: { endpoint: string; accessKeyId: string; secretAccessKey: string };
  };
  /** What the operator called since the last reset. */
  cloudCalls: { params: Record<string, never>; result: CloudCall[] };
  resetCloudCalls: { params: Record<string, never>; result: null };
  /** A call by hand, which isn't counted. */
  askCloud: {
    params: { service: 'elb' | 'ec2'; operation: string; parameters: PlainObject };
    result: PlainObject;
  };
  /** Starts BIG-IP's stand-in, with things of other people on it. */
  startDevice: { params: Record<string, never>; result: DeviceAccess };
  /** What changed applications since the last reset, in order. */
  deviceDeclarations: { params: Record<string, never>; result: DeviceDeclaration[] };
  resetDeviceCalls: { params: Record<string, never>; result: null };
  deviceState: { params: Record<string, never>; result: DeviceState };
  /** By hand: `session` of a member of a pool, both by full path. */
  editDeviceMember: { params: { pool: string; member: string; session: string }; result: null };
  /** Resolves when everything inside has ended. */
  stop: { params: Record<string, never>; result: null };
}

export type LabMethod = keyof LabMethods;

/** One line each way, JSON. */
export type ControlRequest<M extends LabMethod = LabMethod> = {
  [K in M]: { id: number; method: K; params: LabMethods[K]['params'] };
}[M];

export type ControlTold =
  | { kind: 'step'; step: LabStep; ms: number }
  | { kind: 'output'; stream: 'stdout' | 'stderr'; text: string };

export type ControlReply = { id: number } & ({ told: ControlTold } | { result: unknown } | { error: string });
