import assert from 'node:assert/strict'
import test from 'node:test'
import { JwtVerifier } from 'aws-jwt-verify'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { audience, issuer, spa } from './service.mjs'

const tokens = JSON.parse(process.env.GATEHOUSE_TOKENS)
const jwksURI = issuer + '/.well-known/jwks.json'

test('S103 jose verifies our tokens', async () => {
  const keys = createRemoteJWKSet(new URL(jwksURI))
  const access = await jwtVerify(tokens.access_token, keys, { issuer, audience, typ: 'at+jwt', algorithms: ['RS256'] })
  const id = await jwtVerify(tokens.id_token, keys, { issuer, audience: spa.id, typ: 'JWT' })
  assert.equal(access.payload.sub, id.payload.sub)
  await assert.rejects(jwtVerify(tokens.id_token, keys, { issuer, audience }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
})

test('S103 aws-jwt-verify verifies our tokens', async () => {
  const verifier = JwtVerifier.create({ issuer, audience, jwksUri: jwksURI })
  // It fetches keys over https alone; a document that was fetched is given to it.
  verifier.cacheJwks(await (await fetch(jwksURI)).json())
  assert.equal((await verifier.verify(tokens.access_token)).client_id, spa.id)
  await assert.rejects(verifier.verify(tokens.id_token), /Audience not allowed/)
})
