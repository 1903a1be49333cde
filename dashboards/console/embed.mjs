// node embed.mjs FOLDER OUT.cc: the built page's files as a C++ source (payops/api/page_files.h).
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const TYPES = {
  '.css': 'text/css; charset=utf-8', '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8', '.svg': 'image/svg+xml',
};

// A string literal whatever the bytes; cut into pieces that compilers take.
function literal(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 64) {
    const part = bytes.subarray(at, at + 64);
    lines.push(`    "${[...part].map((b) => `\\${b.toString(8).padStart(3, '0')}`).join('')}"`);
  }
  return lines.length ? lines.join('\n') : '    ""';
}

const [folder, out] = process.argv.slice(2);
const names = readdirSync(folder).filter((name) => TYPES[extname(name)]).sort();
let text = '// Generated from dashboards/console by embed.mjs.\n#include "payops/api/page_files.h"\n\n'
  + '#include <array>\n\nnamespace payops::api {\nnamespace {\n';
const entries = [];
names.forEach((name, i) => {
  const bytes = readFileSync(join(folder, name));
  const packed = gzipSync(bytes, { level: 9 });
  const gzip = packed.length < bytes.length ? packed : Buffer.alloc(0);
  const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  text += `constexpr char kBytes${i}[] =\n${literal(bytes)};\nconstexpr char kGzip${i}[] =\n${literal(gzip)};\n`;
  entries.push(`    PageFile{"/${name}", "${TYPES[extname(name)]}", "\\"${etag}\\"",\n`
    + `             {kBytes${i}, ${bytes.length}}, {kGzip${i}, ${gzip.length}}},`);
});
text += `constexpr std::array<PageFile, ${names.length}> kFiles{\n${entries.join('\n')}\n};\n}  // namespace\n\n`
  + 'std::span<const PageFile> page_files() { return kFiles; }\n\n}  // namespace payops::api\n';
writeFileSync(out, text);
