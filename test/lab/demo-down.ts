/** `make demo-down`: ends the demo's cluster. */
import { rmSync } from 'node:fs';
import { stopDemoLab } from './demo/demo-lab.ts';
import { DEMO_DIR } from './demo-files.ts';

const ended = await stopDemoLab();
rmSync(DEMO_DIR, { recursive: true, force: true });
console.log(ended ? 'The demo has ended; nothing is left.' : 'No demo was running.');
