import { basename, resolve } from 'node:path';

/** Modules that pages load later, but the first use of an entry needs. */
const soon = new Set(['src/formats/open-model-file.ts', 'src/preprocessing-input.ts'].map((path) => resolve(path)));

/**
 * Gives names of chunks: one is for all that the first entry imports at once; what of it is all that another entry imports is
 * in one of its own. Other modules, and entries, are left to the bundler.
 */
export function chunkNames([first, ...others]) {
  let chunks;
  return (id, graph) => {
    chunks ??= chunksOf(first, others, graph);
    // The bundler's own helpers go where any entry finds them.
    if (id.startsWith('\0')) return chunks[0].name;
    return chunks.find(({ modules }) => modules.has(id))?.name ?? null;
  };
}

/**
 * Gives names of chunks: one is for all that an entry imports at once, but for modules that are also imported later, which have
 * one each, with what is only theirs. Entries, and other modules, are left to the bundler.
 */
export function namesOfParts(entry) {
  let parts;
  return (id, graph) => (id === entry ? null : ((parts ??= partsOf(entry, graph)).get(id) ?? null));
}

function partsOf(entry, graph) {
  const later = new Set();
  reachedFrom(entry, (id) => {
    const { atOnce, dynamically } = importsOf(id, graph);
    dynamically.forEach((next) => later.add(next));
    return [...atOnce, ...dynamically];
  });
  const atOnce = (id) => importsOf(id, graph).atOnce.filter((next) => !later.has(next));
  const parts = new Map();
  const add = (name, ids) => ids.forEach((id) => parts.set(id, name));
  for (const id of later) add(basename(id, '.ts'), [id, ...reachedFrom(id, atOnce)]);
  add('shared', reachedFrom(entry, atOnce));
  return parts;
}

/** Small ones first. */
function chunksOf(first, others, graph) {
  const all = importedBy(first, graph);
  const parts = others
    .map((entry) => ({ name: basename(entry, '.ts'), modules: importedBy(entry, graph) }))
    .filter(({ modules }) => [...modules].every((id) => all.has(id)));
  return [...parts.toSorted((a, b) => a.modules.size - b.modules.size), { name: 'shared', modules: all }];
}

/** An entry itself is left out: it waits for chunks that would import it. */
function importedBy(entry, graph) {
  return reachedFrom(entry, (id) => {
    const { atOnce, dynamically } = importsOf(id, graph);
    return [...atOnce, ...dynamically.filter((later) => soon.has(later))];
  });
}

function importsOf(id, graph) {
  const { importedIds = [], dynamicallyImportedIds = [] } = graph.getModuleInfo(id) ?? {};
  return { atOnce: importedIds, dynamically: dynamicallyImportedIds };
}

/** All that a module leads to, but itself. */
function reachedFrom(start, nextOf) {
  const found = new Set();
  const add = (id) => {
    for (const next of nextOf(id)) {
      if (next === start || found.has(next)) continue;
      found.add(next);
      add(next);
    }
  };
  add(start);
  return found;
}
