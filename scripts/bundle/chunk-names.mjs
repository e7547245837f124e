import { basename, resolve } from 'node:path';

/** Modules that pages load later, but the first use of an entry needs. */
const soon = new Set([resolve('src/formats/open-model-file.ts')]);

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
  const found = new Set();
  const add = (id) => {
    const { importedIds = [], dynamicallyImportedIds = [] } = graph.getModuleInfo(id) ?? {};
    for (const next of [...importedIds, ...dynamicallyImportedIds.filter((later) => soon.has(later))]) {
      if (next === entry || found.has(next)) continue;
      found.add(next);
      add(next);
    }
  };
  add(entry);
  return found;
}
