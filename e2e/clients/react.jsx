// A page with react-oidc-context, as a single-page app uses it.
import { createRoot } from 'react-dom/client'
import { AuthProvider, useAuth } from 'react-oidc-context'

function App() {
  const auth = useAuth()
  if (auth.error) return <p id="state">{auth.error.message}</p>
  if (!auth.isAuthenticated) return <button id="sign-in" onClick={() => auth.signinRedirect()}>sign in</button>
  return <><p id="state">signed in as {auth.user.profile.name}</p>
    <button id="renew" onClick={async () => { const before = auth.user.access_token; const { access_token } = await auth.signinSilent(); document.querySelector('#renewed').textContent = access_token === before ? 'the same token' : 'renewed' }}>renew</button><p id="renewed">not yet</p></>
}

createRoot(document.querySelector('main')).render(
  <AuthProvider {...window.config} onSigninCallback={() => history.replaceState({}, '', location.pathname)}><App /></AuthProvider>)
