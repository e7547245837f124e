import type NodeCrypto from 'node:crypto';
import type NodeFs from 'node:fs';
import type NodeModule from 'node:module';
import type NodeOs from 'node:os';
import type NodePath from 'node:path';
import type NodeUrl from 'node:url';
import type NodeWorkerThreads from 'node:worker_threads';
import type NodeZlib from 'node:zlib';

/** Node's own modules, without an import that a bundler for browsers would trip over. */
interface NodeModules {
  'node:crypto': typeof NodeCrypto;
  'node:fs': typeof NodeFs;
  'node:module': typeof NodeModule;
  'node:os': typeof NodeOs;
  'node:path': typeof NodePath;
  'node:url': typeof NodeUrl;
  'node:worker_threads': typeof NodeWorkerThreads;
  'node:zlib': typeof NodeZlib;
}

interface BuiltinModules {
  getBuiltinModule?(id: string): unknown;
}

/** Whether this is Node, 20.16 or later. */
export function isNode(): boolean {
  return (globalThis as { process?: BuiltinModules }).process?.getBuiltinModule?.('node:fs') !== undefined;
}

/** A builtin module of Node. @throws {ReferenceError} where this is not Node */
export function nodeModule<Id extends keyof NodeModules>(id: Id): NodeModules[Id] {
  const { process } = globalThis as { process?: BuiltinModules };
  const found = process?.getBuiltinModule?.(id);
  if (found === undefined) throw new ReferenceError(`${id} exists in Node only`);
  return found as NodeModules[Id];
}

/** Path of an optional package, looked for beside this package and in the working directory; undefined where it is not installed. */
export function findPackage(name: string): string | undefined {
  const { createRequire } = nodeModule('node:module');
  const path = nodeModule('node:path');
  for (const from of [import.meta.url, path.join(process.cwd(), 'package.json')]) {
    try {
      return createRequire(from).resolve(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return undefined;
}
