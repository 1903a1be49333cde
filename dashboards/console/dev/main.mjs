// `npm run dev`: builds the page and serves it over the made-up world. `--issuers N` for a wide one.
import { build } from '../build.mjs';
import { DevServer, USERS } from './server.mjs';
import { World } from './world.mjs';

const at = process.argv.indexOf('--issuers');
const count = at > 0 ? Number(process.argv[at + 1]) : 0;
await build();
const options = count ? {
  issuers: Array.from({ length: count }, (_, i) => `BANK${String(i + 1).padStart(4, '0')}`),
  methods: ['card', 'upi', 'wallet', 'bnpl', 'netbanking', 'emi', 'paylater', 'mandate'],
} : {};
const server = await new DevServer({ world: new World(options), port: 8080, wsPort: 8765 }).start();
console.log(`${server.url}  users: ${Object.keys(USERS).join(', ')} (the password is the name)`);
