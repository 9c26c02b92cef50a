// A browser without a screen: it keeps cookies, follows redirects, and is Lin
// (or whom it is told to be) at the demo provider.
export class Browser {
  #jar = new Map() // host without port, as browsers keep them → name → value

  // visit follows url until it leads to the redirect URI, and returns that.
  async visit(url, { user = 'lin', until = 'http://127.0.0.1/callback' } = {}) {
    let response = await this.fetch(url)
    for (let hop = 0; hop < 12; hop++) {
      const next = response.headers.get('location')
      if (next) {
        const to = new URL(next, response.url)
        if (to.href.startsWith(until)) return to
        response = await this.fetch(to)
        continue
      }
      const page = await response.text()
      if (!page.includes('name="user"')) throw new Error(`stranded at ${new URL(response.url).pathname} with ${response.status}`)
      response = await this.fetch(response.url, { method: 'POST', body: new URLSearchParams({ user }) })
    }
    throw new Error('the sign-in goes round in circles')
  }

  // answerDevice opens the page of a device as a person would who was given its
  // link, signs in where that is asked for, and answers: "allow" or "deny".
  async answerDevice(url, consent, { user = 'lin' } = {}) {
    let response = await this.fetch(url)
    for (let hop = 0; hop < 12; hop++) {
      const next = response.headers.get('location')
      if (next) {
        response = await this.fetch(new URL(next, response.url))
        continue
      }
      const page = await response.text()
      const hidden = name => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1]
      if (hidden('shown_to')) {
        const form = new URLSearchParams({ user_code: hidden('user_code'), shown_to: hidden('shown_to'), consent })
        const answer = await this.fetch(new URL(/action="([^"]*)"/.exec(page)[1], response.url), { method: 'POST', body: form })
        if (answer.status !== 200) throw new Error(`the answer was not taken: ${answer.status}`)
        return
      }
      if (!page.includes('name="user"')) throw new Error(`stranded at ${new URL(response.url).pathname} with ${response.status}`)
      response = await this.fetch(response.url, { method: 'POST', body: new URLSearchParams({ user }) })
    }
    throw new Error('the sign-in goes round in circles')
  }

  async fetch(url, options = {}) {
    const { hostname } = new URL(url)
    const cookies = this.#jar.get(hostname) ?? new Map()
    this.#jar.set(hostname, cookies)
    const response = await fetch(url, {
      ...options,
      redirect: 'manual',
      headers: { ...options.headers, cookie: [...cookies].map(pair => pair.join('=')).join('; ') },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) cookies.delete(name)
      else cookies.set(name, value)
    }
    return response
  }
}
