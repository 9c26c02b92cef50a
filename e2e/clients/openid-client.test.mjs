import assert from 'node:assert/strict'
import test from 'node:test'
import * as client from 'openid-client'
import { Browser } from './browser.mjs'
import { afterLogout, audience, device, hello, issuer, machine, redirectURI, spa, web } from './service.mjs'

const http = { execute: [client.allowInsecureRequests] }
const discover = (who, auth) => client.discovery(new URL(issuer), who.id, who.secret, auth, http)

async function signIn(config, browser, parameters = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expected = { pkceCodeVerifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() }
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectURI,
    scope: 'openid profile email offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expected.expectedState,
    nonce: expected.expectedNonce,
    ...parameters,
  })
  const callback = await browser.visit(url)
  return { callback, expected, tokens: () => client.authorizationCodeGrant(config, callback, expected) }
}

for (const [name, who, auth] of [
  ['a public client', spa, client.None()],
  ['a confidential client, basic', web, client.ClientSecretBasic(web.secret)],
  ['a confidential client, post', web, client.ClientSecretPost(web.secret)],
]) {
  test(`openid-client: ${name} signs in, calls, renews, revokes`, async () => {
    const config = await discover(who, auth)
    const tokens = await (await signIn(config, new Browser())).tokens()
    assert.equal(tokens.claims().aud, who.id)
    assert.equal(tokens.claims().name, 'Lin')
    assert.equal(await hello(tokens.access_token), 200)

    const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
    assert.equal(info.email, 'lin@example.com')
    assert.equal(info.email_verified, true)

    const renewed = await client.refreshTokenGrant(config, tokens.refresh_token)
    assert.notEqual(renewed.refresh_token, tokens.refresh_token)
    assert.equal(await hello(renewed.access_token), 200)

    await client.tokenRevocation(config, renewed.refresh_token)
    await assert.rejects(client.refreshTokenGrant(config, renewed.refresh_token), { error: 'invalid_grant' })
  })
}

test('openid-client: introspection tells what is live', async () => {
  const config = await discover(web)
  const tokens = await (await signIn(config, new Browser())).tokens()
  const live = await client.tokenIntrospection(config, tokens.access_token)
  assert.equal(live.active, true)
  assert.equal(live.client_id, web.id)
  await client.tokenRevocation(config, tokens.refresh_token)
  const dead = await client.tokenIntrospection(config, tokens.refresh_token)
  assert.deepEqual({ ...dead }, { active: false })
})

test('openid-client: a machine gets a token of its own', async () => {
  const config = await discover(machine)
  const tokens = await client.clientCredentialsGrant(config)
  assert.equal(tokens.token_type, 'bearer')
  assert.equal(tokens.refresh_token, undefined)
  const live = await client.tokenIntrospection(config, tokens.access_token)
  assert.equal(live.active, true)
  assert.equal(await hello(tokens.access_token), 403) // no rule of the route names a scope
})

test('openid-client: prompt=none without and with a session', async () => {
  const config = await discover(spa, client.None())
  const browser = new Browser()
  const early = await signIn(config, browser, { prompt: 'none' })
  await assert.rejects(early.tokens(), { error: 'login_required' })
  await (await signIn(config, browser)).tokens()
  const silent = await signIn(config, browser, { prompt: 'none' })
  assert.equal((await silent.tokens()).claims().name, 'Lin')
})

test('openid-client: the errors of an authorization request', async () => {
  const config = await discover(spa, client.None())
  for (const [parameters, error] of [
    [{ scope: 'nonsense' }, 'invalid_scope'],
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ request: 'x' }, 'request_not_supported'],
    [{ resource: 'https://other.example.com' }, 'invalid_target'],
  ]) {
    const { callback } = await signIn(config, new Browser(), parameters)
    assert.equal(callback.searchParams.get('error'), error)
    assert.equal(callback.searchParams.get('iss'), issuer)
  }
})

test('openid-client: the errors of the token endpoint', async () => {
  const config = await discover(web)
  const once = await signIn(config, new Browser())
  const wrong = await discover({ ...web, secret: 'wrong' })
  await assert.rejects(client.authorizationCodeGrant(wrong, once.callback, once.expected), { error: 'invalid_client' })
  await once.tokens() // a wrong secret did not use the code up
  await assert.rejects(once.tokens(), { error: 'invalid_grant' })
  await assert.rejects(client.refreshTokenGrant(config, 'nonsense'), { error: 'invalid_grant' })
})

test('openid-client: logout comes back to the app', async () => {
  const config = await discover(spa, client.None())
  const browser = new Browser()
  const tokens = await (await signIn(config, browser)).tokens()
  const url = client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token, post_logout_redirect_uri: afterLogout, state: 'so long',
  })
  const back = await browser.visit(url, { until: afterLogout })
  assert.equal(back.searchParams.get('state'), 'so long')
  await assert.rejects((await signIn(config, browser, { prompt: 'none' })).tokens(), { error: 'login_required' })
})

test('openid-client: the metadata name the audience of nobody else', async () => {
  const config = await discover(spa, client.None())
  const tokens = await (await signIn(config, new Browser(), { resource: audience })).tokens()
  assert.equal(await hello(tokens.access_token), 200)
  assert.equal(await hello(tokens.id_token), 403)
})

// The library asks again by itself: once too early here, because it is told a
// shorter interval than the service gave.
test('openid-client: a device waits, is told to slow down, and is let in', async () => {
  const config = await discover(device, client.None())
  const answers = []
  config[client.customFetch] = async (...request) => {
    const response = await fetch(...request)
    if (new URL(request[0]).pathname.endsWith('/token')) answers.push((await response.clone().json()).error ?? 'tokens')
    return response
  }
  const waiting = await client.initiateDeviceAuthorization(config, { scope: 'openid profile offline_access' })
  assert.match(waiting.user_code, /^[A-Z]{4}-[A-Z]{4}$/)
  const polling = client.pollDeviceAuthorizationGrant(config, { ...waiting, interval: 1 })
  while (!answers.includes('slow_down')) await new Promise(resolve => setTimeout(resolve, 100))
  await new Browser().answerDevice(waiting.verification_uri_complete, 'allow')
  const tokens = await polling
  assert.deepEqual(answers, ['authorization_pending', 'slow_down', 'tokens'])
  assert.equal(tokens.claims().name, 'Lin')
  assert.equal(await hello(tokens.access_token), 200)
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token)
  assert.equal(await hello(renewed.access_token), 200)
})

test('openid-client: a device is refused, and one that nobody knows', async () => {
  const config = await discover(device, client.None())
  const waiting = await client.initiateDeviceAuthorization(config, { scope: 'openid' })
  await new Browser().answerDevice(waiting.verification_uri_complete, 'deny')
  await assert.rejects(client.pollDeviceAuthorizationGrant(config, { ...waiting, interval: 1 }), { error: 'access_denied' })
  await assert.rejects(client.pollDeviceAuthorizationGrant(config, { ...waiting, device_code: 'x', interval: 1 }), { error: 'invalid_grant' })
  await assert.rejects(client.initiateDeviceAuthorization(config, { scope: 'nonsense' }), { error: 'invalid_scope' })
  const other = await discover(spa, client.None())
  await assert.rejects(client.initiateDeviceAuthorization(other, { scope: 'openid' }), { error: 'unauthorized_client' })
})
