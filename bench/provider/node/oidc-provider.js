// npm oidc-provider as it comes: its defaults, RS256. Its store is a Map.
// To file 3 it writes its address and one refresh token for every connection.
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { MapAdapter } from './store.js';

const connections = Number(process.argv[2]);

// The issuer has the port, which is known only when something listens.
const server = createServer((req, res) => handle(req, res));
let handle;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}`;

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const provider = new Provider(url, {
  adapter: MapAdapter,
  clients: [{
    client_id: 'spa',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['https://app.test/cb'],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
  }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'bench' }] },
  cookies: { keys: ['bench'] },
});
handle = provider.callback();

// What the code grant leaves behind, made by the provider's own models.
const client = await provider.Client.find('spa');
const scope = 'openid offline_access';
const tokens = [];
for (let i = 0; i < connections; i++) {
  const accountId = `user-${i}`;
  const grant = new provider.Grant({ accountId, clientId: 'spa' });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId, client, grantId, scope, gty: 'authorization_code',
    authTime: Math.floor(Date.now() / 1000), expiresWithSession: false, sessionUid: `session-${i}`,
  });
  tokens.push(await token.save());
}
writeSync(3, JSON.stringify({ url, tokens }) + '\n');
