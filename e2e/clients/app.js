// An app as its authors would write it with oidc-client-ts.
const here = location.origin + '/app.html'
const users = new oidc.UserManager({
  authority: issuer,
  client_id: 'other-spa',
  redirect_uri: here,
  silent_redirect_uri: here,
  post_logout_redirect_uri: here,
  scope: 'openid profile email offline_access',
  loadUserInfo: true,
  automaticSilentRenew: false,
})
const say = text => { document.querySelector('#state').textContent = text }
const on = (id, act) => {
  document.getElementById(id).onclick = () => act().catch(err => say(`${id}: ${err.message}`))
}

on('sign-in', () => users.signinRedirect())
on('sign-out', () => users.signoutRedirect())
on('renew', async () => {
  const before = (await users.getUser()).refresh_token
  const { refresh_token: after } = await users.signinSilent() // by the refresh token
  say(after && after !== before ? 'renew done' : 'renew: the refresh token was not rotated')
})
on('userinfo', async () => {
  const { profile } = await users.getUser()
  say(profile.email === 'lin@example.com' ? 'userinfo done' : `userinfo: ${Object.keys(profile)}`)
})
on('silent', async () => {
  // The frame is on another site: browsers keep its cookies back, and the answer
  // says so without a page.
  const answer = await users.querySessionStatus().catch(err => err)
  say(answer?.error === 'login_required' || answer?.sub ? 'silent done' : `silent: ${answer}`)
})
on('revoke', async () => {
  await users.revokeTokens(['refresh_token'])
  say('revoke done')
})

if (window.parent !== window) {
  users.signinSilentCallback() // a frame that the silent renewal has opened
} else if (new URLSearchParams(location.search).has('state')) {
  const back = location.search.includes('code=')
  const done = back ? users.signinRedirectCallback() : users.signoutRedirectCallback()
  done.then(async () => {
    history.replaceState(null, '', '/app.html')
    const user = await users.getUser()
    say(user ? `signed in as ${user.profile.name}` : 'signed out')
  }, err => say(err.message))
} else {
  users.getUser().then(user => say(user ? `signed in as ${user.profile.name}` : 'signed out'))
}
