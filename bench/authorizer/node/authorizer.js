'use strict'
// The authorizer's decision about HTTP API events, written as one writes it with
// aws-jwt-verify: keys and rules lie beside the program and are read at its start.
const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const { JwtVerifier } = require('aws-jwt-verify')

const root = process.env.LAMBDA_TASK_ROOT
const issuer = process.env.GATEHOUSE_ISSUER
const rules = new Map(JSON.parse(readFileSync(join(root, 'policy.json'), 'utf8')).rules.map((r) => [r.route, r]))

const verifier = JwtVerifier.create({
  issuer,
  audience: process.env.GATEHOUSE_AUDIENCE,
  jwksUri: issuer + '/.well-known/jwks.json',
  graceSeconds: 30,
  customJwtCheck: ({ header, payload }) => {
    if (header.typ !== 'at+jwt') throw new Error('typ')
    for (const name of ['sub', 'client_id', 'jti']) {
      if (typeof payload[name] !== 'string' || payload[name] === '') throw new Error(name)
    }
    for (const name of ['iat', 'exp', 'auth_time']) {
      if (typeof payload[name] !== 'number') throw new Error(name)
    }
  },
})
verifier.cacheJwks(JSON.parse(readFileSync(join(root, 'jwks.json'), 'utf8')))

const some = (wanted, have) => !wanted || wanted.length === 0 || wanted.some((x) => have.includes(x))

exports.handler = (event) => {
  const header = event.headers.authorization || ''
  if (!/^bearer /i.test(header)) return { isAuthorized: false }
  let claims
  try {
    claims = verifier.verifySync(header.slice(7))
  } catch {
    return { isAuthorized: false }
  }
  const roles = claims.roles || []
  const scopes = (claims.scope || '').split(' ').filter(Boolean)
  const rule = rules.get(event.routeKey)
  if (rule && !(some(rule.roles, roles) && some(rule.scopes, scopes))) return { isAuthorized: false }
  const context = {
    sub: claims.sub, roles: roles.join(' '), scope: scopes.join(' '), client_id: claims.client_id,
    sid: claims.sid, auth_time: claims.auth_time, exp: claims.exp,
  }
  if (claims.email) context.email = claims.email
  if (claims.name) context.name = claims.name
  return { isAuthorized: true, context }
}
