#!/usr/bin/env node
// A file of its own, so that npm can link it before the first build.
import module from 'node:module';

// Node 22 and later keep compiled code between runs.
module.enableCompileCache?.();
await import('../dist/main.js');
