'use strict'
// A loop over Lambda's Runtime API with node:http, on one kept connection. It does
// less than aws-lambda-ric: no context object, no tracing, no log format.
const http = require('node:http')
const { handler } = require('./authorizer.js')

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }
    const request = http.request({ host, port, agent, method, path: '/2018-06-01/runtime/invocation/' + path, headers }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}

async function main() {
  for (;;) {
    const event = await ask('GET', 'next')
    const id = event.headers['lambda-runtime-aws-request-id']
    try {
      const answer = await handler(JSON.parse(event.body))
      await ask('POST', id + '/response', JSON.stringify(answer))
    } catch (err) {
      await ask('POST', id + '/error', JSON.stringify({ errorType: err.name, errorMessage: err.message }))
    }
  }
}

main()
