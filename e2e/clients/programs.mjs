// Web frameworks and libraries of others, as they come, against a Gatehouse:
// `node programs.mjs NAME` signs in with one, renews where it can, and prints "ok".
import assert from 'node:assert/strict'
import { once } from 'node:events'
import express from 'express'
import session from 'express-session'
import { Browser } from './browser.mjs'
import { issuer } from './service.mjs'

const name = process.argv[2]
const { id, secret, redirect } = JSON.parse(process.env.GATEHOUSE_PROGRAM)
const { origin, port, pathname } = new URL(redirect)
const scope = ['openid', 'profile', 'email', 'offline_access']
const endpoint = path => issuer + path

// surf opens an address as a person would: it follows redirects, is Lin at the
// demo provider, and returns the page where that ends.
async function surf(browser, url, options) {
  let response = await browser.fetch(url, options)
  for (let hop = 0; hop < 15; hop++) {
    const next = response.headers.get('location')
    if (next) {
      response = await browser.fetch(new URL(next, response.url))
      continue
    }
    const text = await response.text()
    if (!text.includes('name="user"')) return { status: response.status, url: response.url, text }
    response = await browser.fetch(response.url, { method: 'POST', body: new URLSearchParams({ user: 'lin' }) })
  }
  throw new Error('the sign-in goes round in circles')
}

// codeFor lets a person approve the request, and returns the redirect URI's query.
const codeFor = async url => (await new Browser().visit(url, { until: redirect })).searchParams

async function listen(app) {
  const server = app.listen(Number(port), '127.0.0.1')
  await once(server, 'listening')
  return server
}

function passportApp(passport) {
  const app = express()
  app.use(session({ secret: 'of this test', resave: false, saveUninitialized: false }))
  passport.serializeUser((user, done) => done(null, user))
  passport.deserializeUser((user, done) => done(null, user))
  app.use(passport.initialize(), passport.session())
  app.get('/login', passport.authenticate('gatehouse'))
  app.get(pathname, passport.authenticate('gatehouse'), (req, res) => res.redirect('/'))
  app.get('/', (req, res) => res.json(req.user ?? null))
  return app
}

const programs = {
  async authjs() {
    const { ExpressAuth } = await import('@auth/express')
    const app = express()
    app.use('/auth/*', ExpressAuth({
      trustHost: true, secret: 'of this test, long enough',
      providers: [{ id: 'gatehouse', name: 'Gatehouse', type: 'oidc', issuer, clientId: id, clientSecret: secret }],
    }))
    await listen(app)
    const browser = new Browser()
    const { csrfToken } = await (await browser.fetch(origin + '/auth/csrf')).json()
    await surf(browser, origin + '/auth/signin/gatehouse', { method: 'POST', body: new URLSearchParams({ csrfToken, callbackUrl: origin + '/auth/session' }) })
    const { user } = await (await browser.fetch(origin + '/auth/session')).json()
    assert.equal(user.email, 'lin@example.com')
    assert.equal(user.name, 'Lin')
  },

  async 'express-openid-connect'() {
    const { default: { auth } } = await import('express-openid-connect')
    const app = express()
    app.use(auth({
      issuerBaseURL: issuer, baseURL: origin, clientID: id, clientSecret: secret, secret: 'of this test, long enough for a cookie',
      authorizationParams: { response_type: 'code', scope: scope.join(' ') },
    }))
    app.get('/', async (req, res) => {
      const before = req.oidc.accessToken.access_token
      const renewed = await req.oidc.accessToken.refresh()
      res.json({ name: req.oidc.user.name, another: renewed.access_token !== before, info: await req.oidc.fetchUserInfo() })
    })
    await listen(app)
    const page = JSON.parse((await surf(new Browser(), origin + '/')).text)
    assert.equal(page.name, 'Lin')
    assert.equal(page.another, true)
    assert.equal(page.info.email, 'lin@example.com')
  },

  async 'passport-oauth2'() {
    const { default: passport } = await import('passport')
    const { Strategy } = await import('passport-oauth2')
    const strategy = new Strategy({
      authorizationURL: endpoint('/authorize'), tokenURL: endpoint('/token'), clientID: id, clientSecret: secret, callbackURL: redirect, scope, state: true,
    }, (accessToken, refreshToken, profile, done) => done(null, { accessToken, refreshToken }))
    passport.use('gatehouse', strategy)
    await listen(passportApp(passport))
    const user = JSON.parse((await surf(new Browser(), origin + '/login')).text)
    const renewed = await new Promise((resolve, reject) => strategy._oauth2.getOAuthAccessToken(user.refreshToken, { grant_type: 'refresh_token' },
      (error, accessToken, refreshToken) => error ? reject(error) : resolve({ accessToken, refreshToken })))
    assert.notEqual(renewed.accessToken, user.accessToken)
    assert.notEqual(renewed.refreshToken, user.refreshToken)
  },

  async 'passport-openidconnect'() {
    const { default: passport } = await import('passport')
    const { Strategy } = await import('passport-openidconnect')
    passport.use('gatehouse', new Strategy({
      issuer, authorizationURL: endpoint('/authorize'), tokenURL: endpoint('/token'), userInfoURL: endpoint('/userinfo'),
      clientID: id, clientSecret: secret, callbackURL: redirect, scope: ['profile', 'email'],
    }, (_issuer, profile, done) => done(null, profile)))
    await listen(passportApp(passport))
    const user = JSON.parse((await surf(new Browser(), origin + '/login')).text)
    assert.equal(user.displayName, 'Lin')
    assert.equal(user.emails[0].value, 'lin@example.com')
  },

  async grant() {
    const { default: grant } = await import('grant')
    const app = express()
    app.use(session({ secret: 'of this test', resave: false, saveUninitialized: false }))
    app.use(grant.express({
      defaults: { origin, transport: 'session' },
      gatehouse: { oauth: 2, authorize_url: endpoint('/authorize'), access_url: endpoint('/token'), key: id, secret, scope, scope_delimiter: ' ', state: true, nonce: true, response: ['tokens', 'jwt'], callback: '/done' },
    }))
    app.get('/done', (req, res) => res.json(req.session.grant.response))
    await listen(app)
    const got = JSON.parse((await surf(new Browser(), origin + '/connect/gatehouse')).text)
    assert.equal(got.error, undefined)
    assert.equal(got.jwt.id_token.payload.name, 'Lin')
    assert.ok(got.access_token && got.refresh_token)
  },

  async 'simple-oauth2'() {
    const { AuthorizationCode } = (await import('simple-oauth2')).default
    const client = new AuthorizationCode({ client: { id, secret }, auth: { tokenHost: issuer, tokenPath: '/token', authorizePath: '/authorize', revokePath: '/revoke' } })
    const back = await codeFor(client.authorizeURL({ redirect_uri: redirect, scope, state: 'a state' }))
    assert.equal(back.get('state'), 'a state')
    const tokens = await client.getToken({ code: back.get('code'), redirect_uri: redirect })
    const renewed = await tokens.refresh()
    assert.notEqual(renewed.token.access_token, tokens.token.access_token)
    await renewed.revokeAll()
  },

  async 'appauth-js'() {
    // Its modules import one another as bundlers resolve them.
    const { build } = await import('esbuild')
    const contents = "export * from '@openid/appauth'; export { NodeCrypto } from '@openid/appauth/built/src/node_support/crypto_utils.js'"
    const { outputFiles: [bundle] } = await build({ stdin: { contents, resolveDir: import.meta.dirname }, bundle: true, platform: 'node', format: 'esm', write: false })
    const appauth = await import('data:text/javascript;base64,' + Buffer.from(bundle.contents).toString('base64'))
    const { AuthorizationRequest, AuthorizationRequestHandler, AuthorizationServiceConfiguration, BaseTokenRequestHandler, BasicQueryStringUtils } = appauth
    const { FetchRequestor, GRANT_TYPE_AUTHORIZATION_CODE, GRANT_TYPE_REFRESH_TOKEN, NodeCrypto, TokenRequest } = appauth
    const requestor = new FetchRequestor()
    const configuration = await AuthorizationServiceConfiguration.fetchFromIssuer(issuer, requestor)
    const crypto = new NodeCrypto()
    const request = new AuthorizationRequest({ client_id: id, redirect_uri: redirect, scope: scope.join(' '), response_type: AuthorizationRequest.RESPONSE_TYPE_CODE }, crypto)
    await request.setupCodeVerifier()
    const handler = new (class extends AuthorizationRequestHandler {})(new BasicQueryStringUtils(), crypto)
    const back = await codeFor(handler.buildRequestUrl(configuration, request))
    assert.equal(back.get('state'), request.state)
    const token = (grant_type, more) => new BaseTokenRequestHandler(requestor).performTokenRequest(configuration, new TokenRequest({ client_id: id, redirect_uri: redirect, grant_type, ...more }))
    const tokens = await token(GRANT_TYPE_AUTHORIZATION_CODE, { code: back.get('code'), extras: { code_verifier: request.internal.code_verifier } })
    const renewed = await token(GRANT_TYPE_REFRESH_TOKEN, { refresh_token: tokens.refreshToken })
    assert.notEqual(renewed.accessToken, tokens.accessToken)
    assert.ok(renewed.idToken)
  },
}

await programs[name]()
console.log('ok')
process.exit(0)
