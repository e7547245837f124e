/**
 * What may import what. Imports between packages are resolved to their TypeScript sources.
 * @type {import('dependency-cruiser').IConfiguration}
 */
const name = (rule, comment, from, to) => ({ name: rule, severity: 'error', comment, from, to });

const core = '^packages/core/';
/** Everything of ours, for "only core" rules. */
const ours = '^(packages|apps)/';

module.exports = {
  forbidden: [
    name(
      'no-circular',
      'Modules must not depend on each other in a circle; circles closed by a type-only import are harmless.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    name('no-unresolved', 'Every import must resolve.', {}, { couldNotResolve: true }),
    name(
      'core-imports-nothing',
      'core depends on nothing, not even on Node.',
      { path: `${core}src/` },
      { pathNot: `${core}src/` },
    ),
    name(
      'reference-stays-apart',
      'Inside core only reference/ may import reference/.',
      { path: `${core}src/`, pathNot: `${core}src/reference/` },
      { path: `${core}src/reference/` },
    ),
    name(
      'packages-import-only-core',
      'kernels-*, conformance and resnet import only themselves and core.',
      { path: '^packages/((?:kernels-[^/]+|conformance|resnet))/src/' },
      { path: ours, pathNot: [core, '^packages/$1/'] },
    ),
    name(
      'resnet-no-backend',
      'resnet never imports a backend, the reference included.',
      { path: '^packages/resnet/src/' },
      { path: '^packages/(kernels-[^/]+/|core/src/reference/)' },
    ),
    name(
      'browser-no-reference',
      'browser imports core, both backends and resnet, as they are in a page: neither the reference nor Node.',
      { path: '^packages/browser/src/' },
      { path: ['^packages/conformance/', '^packages/core/src/reference/', '^packages/resnet/src/node/'] },
    ),
    name(
      'node-only-in-node',
      'In resnet only src/node/ may use Node modules.',
      { path: '^packages/resnet/src/', pathNot: '^packages/resnet/src/node/' },
      { dependencyTypes: ['core'] },
    ),
    name(
      'playground-is-a-page',
      'The playground computes in its worker: it imports no backend, no Node module, and no other app.',
      { path: '^apps/playground/src/' },
      { path: '^(packages/kernels-|apps/(?!playground/))', dependencyTypesNot: ['npm'] },
    ),
    name('packages-not-apps', 'No package imports an app.', { path: '^packages/' }, { path: '^apps/' }),
    name(
      'package-entry-points',
      'A package is imported by its name, not by a path into it.',
      { path: '^(packages|apps)/([^/]+)/' },
      { path: ours, pathNot: '^$1/$2/', dependencyTypes: ['local'] },
    ),
    name('src-not-test', 'Sources do not import tests.', { path: '/src/' }, { path: '/test/' }),
    name(
      'no-undeclared',
      'Every npm package used is in package.json.',
      { path: '/src/' },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|assembly|coverage|fixtures)/|/src/generated/' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@skiplane/source', 'import', 'types', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.mts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
