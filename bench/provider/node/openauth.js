// @openauthjs/openauth as it comes: its defaults, ES256. Its store is a Map.
// To file 3 it writes its address and one refresh token for every connection.
import { writeSync } from 'node:fs';
import { serve } from '@hono/node-server';
import { issuer } from '@openauthjs/openauth';
import { createSubjects } from '@openauthjs/openauth/subject';
import { mapStorage } from './store.js';

const connections = Number(process.argv[2]);
const anything = { '~standard': { version: 1, vendor: 'bench', validate: (value) => ({ value }) } };

const app = issuer({
  subjects: createSubjects({ user: anything }),
  storage: mapStorage(),
  providers: {
    // Signs each visitor in as somebody new.
    anyone: {
      type: 'anyone',
      init(routes, ctx) {
        let count = 0;
        routes.get('/authorize', (c) => ctx.success(c, { name: `user-${count++}` }));
      },
    },
  },
  success: (ctx, value) => ctx.subject('user', { id: value.name }),
});

const redirect_uri = 'http://127.0.0.1/cb';

async function signIn() {
  const query = new URLSearchParams({ client_id: 'spa', redirect_uri, response_type: 'code', provider: 'anyone' });
  const asked = await app.request(`http://127.0.0.1/authorize?${query}`);
  const cookie = asked.headers.get('set-cookie').split(';')[0];
  const back = await app.request(`http://127.0.0.1${asked.headers.get('location')}`, { headers: { cookie } });
  const code = new URL(back.headers.get('location')).searchParams.get('code');
  const answer = await app.request('http://127.0.0.1/token', {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'authorization_code', client_id: 'spa', redirect_uri, code }),
  });
  return (await answer.json()).refresh_token;
}

const tokens = [];
for (let i = 0; i < connections; i++) tokens.push(await signIn());
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  writeSync(3, JSON.stringify({ url: `http://127.0.0.1:${port}`, tokens }) + '\n');
});
