/** `make demo-down`: ends the demo's cluster. */
import { removeDemoFiles, stopDemoLab } from './demo/demo-lab.ts';

const ended = await stopDemoLab();
removeDemoFiles();
console.log(ended ? 'The demo has ended; nothing is left.' : 'No demo was running.');
