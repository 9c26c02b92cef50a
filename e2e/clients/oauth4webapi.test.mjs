import assert from 'node:assert/strict'
import test from 'node:test'
import * as oauth from 'oauth4webapi'
import { Browser } from './browser.mjs'
import { audience, device, hello, issuer, redirectURI, web } from './service.mjs'

const http = { [oauth.allowInsecureRequests]: true }

test('oauth4webapi: sign in, introspect, renew, revoke; every answer strictly read', async () => {
  const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), http))
  const plain = await oauth.processDiscoveryResponse(
    new URL(issuer), await oauth.discoveryRequest(new URL(issuer), { ...http, algorithm: 'oauth2' }))
  assert.deepEqual(plain, as) // the two documents agree

  const client = { client_id: web.id }
  const auth = oauth.ClientSecretBasic(web.secret)
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const nonce = oauth.generateRandomNonce()
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: web.id, redirect_uri: redirectURI, response_type: 'code', scope: 'openid email offline_access', state, nonce,
    max_age: '300', code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })
  const callback = await new Browser().visit(url)
  const parameters = oauth.validateAuthResponse(as, client, callback, state) // iss among them
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, parameters, redirectURI, verifier, http)
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
    expectedNonce: nonce, maxAge: 300, requireIdToken: true,
  })
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  assert.equal(await hello(tokens.access_token), 200)

  // RFC 9068, checked by a resource server of theirs.
  const claims = await oauth.validateJwtAccessToken(
    as, new Request('http://api.example.com/', { headers: { authorization: `Bearer ${tokens.access_token}` } }), audience, http)
  assert.equal(claims.sub, sub)
  assert.equal(claims.client_id, web.id)

  const info = await oauth.processUserInfoResponse(as, client, sub, await oauth.userInfoRequest(as, client, tokens.access_token, http))
  assert.equal(info.email, 'lin@example.com')

  const introspection = await oauth.processIntrospectionResponse(
    as, client, await oauth.introspectionRequest(as, client, auth, tokens.access_token, http))
  assert.equal(introspection.active, true)

  const renewed = await oauth.processRefreshTokenResponse(
    as, client, await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, http))
  assert.equal(await hello(renewed.access_token), 200)

  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, renewed.refresh_token, http))
  await assert.rejects(
    oauth.refreshTokenGrantRequest(as, client, auth, renewed.refresh_token, http).then(r => oauth.processRefreshTokenResponse(as, client, r)),
    { error: 'invalid_grant' })
})

test('oauth4webapi: a device, step by step', async () => {
  const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), http))
  const client = { client_id: device.id }
  const start = async () => oauth.processDeviceAuthorizationResponse(
    as, client, await oauth.deviceAuthorizationRequest(as, client, oauth.None(), { scope: 'openid offline_access' }, http))
  const poll = async waiting => oauth.processDeviceCodeResponse(
    as, client, await oauth.deviceCodeGrantRequest(as, client, oauth.None(), waiting.device_code, http))

  const waiting = await start()
  assert.equal(waiting.interval, 5)
  await assert.rejects(poll(waiting), { error: 'authorization_pending' })
  await assert.rejects(poll(waiting), { error: 'slow_down' })
  const browser = new Browser()
  await browser.answerDevice(waiting.verification_uri_complete, 'allow')
  const tokens = await poll(waiting)
  assert.equal(await hello(tokens.access_token), 200)
  await assert.rejects(poll(waiting), { error: 'invalid_grant' }) // once

  const refused = await start()
  await browser.answerDevice(refused.verification_uri_complete, 'deny')
  await assert.rejects(poll(refused), { error: 'access_denied' })
})
