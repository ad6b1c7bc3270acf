/**
 * Bundles the explorer into `dist/`.
 *
 * Every file has a hash of its content in its name, except `manifest.json`, which names the
 * script and the style sheet of the page, and `THIRD_PARTY_LICENSES.txt`.
 */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const OUT = 'dist';

const common = {
  // GraphiQL loads the parsers by the old names, which lead to CommonJS files: bundled, a dynamic
  // import of those has no named exports, and "prettify" finds no parser.
  alias: {
    'prettier/parser-babel': 'prettier/plugins/babel',
    'prettier/parser-graphql': 'prettier/plugins/graphql',
  },
  bundle: true,
  define: { 'process.env.NODE_ENV': '"production"' },
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  jsx: 'automatic',
  keepNames: true, // GraphiQL makes the accessible names of its icons from function names.
  legalComments: 'eof',
  loader: { '.ttf': 'file' },
  logLevel: 'warning',
  metafile: true,
  minify: true,
  outdir: OUT,
  target: ['es2022'],
};

/** The files made from the entry points, by the name given to each. */
function entries(result) {
  const found = {};
  for (const [path, output] of Object.entries(result.metafile.outputs)) {
    if (output.entryPoint && path.endsWith('.js')) {
      const name = basename(path).replace(/-[^-]+\.js$/, '');
      found[name] = { script: basename(path), style: output.cssBundle && basename(output.cssBundle) };
    }
  }
  return found;
}

/** The text of the licences of the packages which are in the bundles. */
function licenses(results) {
  const folders = new Set();
  for (const input of results.flatMap((result) => Object.keys(result.metafile.inputs))) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) folders.add(match[1]);
  }
  const parts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json')));
    const texts = readdirSync(folder)
      .filter((file) => /^(licen[cs]e|notice|thirdpartynotices)/i.test(file))
      .map((file) => readFileSync(join(folder, file), 'utf8').trim());
    return [`${name} ${version} (${license ?? 'see below'})`, ...texts].join('\n\n');
  });
  return parts.join(`\n\n${'-'.repeat(79)}\n\n`) + '\n';
}

rmSync(OUT, { recursive: true, force: true });

const workers = await build({
  ...common,
  entryPoints: {
    'editor-worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
    'graphql-worker': 'monaco-graphql/esm/graphql.worker.js',
    'json-worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
  },
  format: 'iife',
});
const worker = entries(workers);

const page = await build({
  ...common,
  define: {
    ...common.define,
    EDITOR_WORKER: JSON.stringify(worker['editor-worker'].script),
    GRAPHQL_WORKER: JSON.stringify(worker['graphql-worker'].script),
    JSON_WORKER: JSON.stringify(worker['json-worker'].script),
  },
  entryPoints: { explorer: 'src/main.jsx' },
  format: 'esm',
  splitting: true,
});
const { script, style } = entries(page).explorer;

// The page's style sheet holds the styles of the lazily loaded chunks too; esbuild writes them
// a second time for each chunk, into files which nothing loads.
for (const file of readdirSync(OUT)) {
  if (file.endsWith('.css') && file !== style) rmSync(join(OUT, file));
}

writeFileSync(join(OUT, 'THIRD_PARTY_LICENSES.txt'), licenses([workers, page]));
writeFileSync(join(OUT, 'manifest.json'), JSON.stringify({ script, style }) + '\n');
