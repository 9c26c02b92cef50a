// Where the gatehouse dev or the stack under test is, and who its clients are.
export const issuer = need('GATEHOUSE_ISSUER')
export const audience = issuer + '/api'
export const redirectURI = 'http://127.0.0.1/callback'
export const afterLogout = 'http://127.0.0.1/'

const padding = process.env.GATEHOUSE_PADDING ?? '' // a stack wants long secrets
export const spa = { id: 'demo-spa' }
export const web = { id: 'demo-web', secret: 'demo-web-secret' + padding }
export const device = { id: 'tv' }
export const machine = { id: 'robot', secret: 'robot-secret' + padding }

function need(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: these tests are run by go test in e2e/`)
  return value
}

// hello calls a protected function that wants any token.
export async function hello(accessToken) {
  const response = await fetch(need('GATEHOUSE_API'), { headers: { authorization: `Bearer ${accessToken}` } })
  return response.status
}
