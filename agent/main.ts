import './limit-memory.ts';
import './compile-cache.ts';

// Not before these two have had their effect: what is imported above is read before any of it runs.
await import('./command.ts');
