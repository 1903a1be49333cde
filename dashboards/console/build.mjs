// Builds the page: node build.mjs [OUT]  (default build/console at the repository's root).
// One script and one style sheet, named by their content, and the index that refers to them.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
export const DIST = join(here, '../../build/console');

export async function build(out = DIST) {
  const result = await esbuild.build({
    entryPoints: [{ in: join(here, 'src/main.ts'), out: 'console' }],
    bundle: true, minify: true, write: false, outdir: out, format: 'esm', target: 'es2022',
    entryNames: '[name]-[hash]', legalComments: 'none', logLevel: 'warning',
  });
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  let index = readFileSync(join(here, 'static/index.html'), 'utf8');
  const sizes = [];
  const put = (name, bytes) => {
    writeFileSync(join(out, name), bytes);
    sizes.push({ name, bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length });
  };
  for (const file of result.outputFiles) {
    const hash = createHash('sha256').update(file.contents).digest('hex').slice(0, 12);
    const name = file.path.endsWith('.css') ? `console-${hash}.css` : `console-${hash}.js`;
    put(name, file.contents);
    index = index.replace(name.endsWith('.css') ? '/console.css' : '/console.js', `/${name}`);
  }
  put('index.html', Buffer.from(index));
  copyFileSync(join(here, 'static/icon.svg'), join(out, 'icon.svg'));
  return sizes;
}

// The parts that need no page, as modules that node can import: for their tests.
export async function buildParts(out) {
  await esbuild.build({
    entryPoints: ['store', 'format', 'severity', 'api'].map((n) => join(here, `src/${n}.ts`)),
    bundle: true, format: 'esm', outdir: out, outExtension: { '.js': '.mjs' }, target: 'es2022',
    logLevel: 'warning',
  });
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const sizes = await build(process.argv[2] ? resolve(process.argv[2]) : DIST);
  for (const s of sizes) console.log(`${s.name}  ${s.bytes} bytes, ${s.gzip} gzip`);
}
