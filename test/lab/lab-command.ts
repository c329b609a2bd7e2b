/** `scripts/lab`: asks the lab that `make demo` left running. */
import { ControlClient } from './control/control-client.ts';
import { DEMO_FILES } from './demo-files.ts';

const USAGE = `usage:
  scripts/lab exec NAMESPACE COMMAND [ARGUMENT...]   run a program on node-1, node-2, node-3, client or edge-1
  scripts/lab node-down NODE                         cut a node off from every network
  scripts/lab node-up NODE                           join it again
  scripts/lab kill operator | agent NODE | kubelet NODE | edge
  scripts/lab start operator | agent NODE | kubelet NODE | edge
`;

const [command, first, ...rest] = process.argv.slice(2);
// Whoever reads, `head` say, has seen enough.
process.stdout.on('error', () => process.exit(0));

async function run(control: ControlClient): Promise<number> {
  if (first === undefined) return usage();
  switch (command) {
    case 'exec': {
      const params = { namespace: first, command: rest };
      const { status } = await control.call('exec', params, (told) => {
        if (told.kind === 'output') process[told.stream].write(told.text);
      });
      return status;
    }
    case 'node-down':
      await control.call('nodeDown', { node: first });
      return 0;
    case 'node-up':
      await control.call('nodeUp', { node: first });
      return 0;
    case 'kill':
    case 'start': {
      const [node] = rest;
      await control.call(command, { process: first, ...(node !== undefined && { node }) });
      return 0;
    }
    default:
      return usage();
  }
}

function usage(): number {
  process.stderr.write(USAGE);
  return 2;
}

const control = await ControlClient.connect(DEMO_FILES.control).catch(() => undefined);
if (control === undefined) {
  process.stderr.write('no lab runs: make demo starts one\n');
  process.exitCode = 1;
} else {
  process.exitCode = await run(control).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  });
  control.close();
}
