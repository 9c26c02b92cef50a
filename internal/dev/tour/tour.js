// The guided tour: an OpenID client in a browser, without a library. It signs in
// with a code and PKCE, checks what it gets back, and calls an API.
'use strict';

const clientID = 'demo-spa';
const home = location.origin + '/';
const $ = id => document.getElementById(id);

// Small things.

const bytes = n => crypto.getRandomValues(new Uint8Array(n));
const base64url = b => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const sha256 = text => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));

// decode reads a part of a token. It verifies nothing: that is for the API.
function decode(part) {
  const binary = atob(part.replace(/-/g, '+').replace(/_/g, '/'));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, c => c.charCodeAt(0))));
}

function el(name, text, className) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  return e;
}

const kept = {
  get: key => JSON.parse(sessionStorage.getItem('tour.' + key)),
  set: (key, value) => sessionStorage.setItem('tour.' + key, JSON.stringify(value)),
  drop: key => sessionStorage.removeItem('tour.' + key),
};

async function metadata() {
  return (await fetch('/.well-known/openid-configuration')).json();
}

// Signing in.

async function signIn() {
  const { authorization_endpoint } = await metadata();
  const flow = { state: base64url(bytes(32)), nonce: base64url(bytes(32)), verifier: base64url(bytes(32)) };
  kept.set('flow', flow);
  const prompt = kept.get('tokens') ? { prompt: 'select_account' } : {};
  location.assign(authorization_endpoint + '?' + new URLSearchParams({
    ...prompt, response_type: 'code', client_id: clientID, redirect_uri: home, scope: 'openid profile email offline_access',
    state: flow.state, nonce: flow.nonce, code_challenge: base64url(await sha256(flow.verifier)), code_challenge_method: 'S256',
  }));
}

// comeBack finishes a sign-in if this page was opened by its redirect.
async function comeBack() {
  const answer = new URLSearchParams(location.search);
  if (!answer.has('code') && !answer.has('error')) return;
  history.replaceState(null, '', '/'); // the code stays in no address bar
  const flow = kept.get('flow');
  kept.drop('flow');
  const server = await metadata();
  if (!flow || answer.get('state') !== flow.state) throw new Error('This sign-in was not begun on this page. Sign in again.');
  if (answer.get('iss') !== server.issuer) throw new Error('The answer comes from another issuer.');
  if (answer.has('error')) throw new Error('The sign-in was refused: ' + (answer.get('error_description') || answer.get('error')) + '.');
  const tokens = await redeem(server, {
    grant_type: 'authorization_code', redirect_uri: home, code: answer.get('code'), code_verifier: flow.verifier,
  });
  const id = decode(tokens.id_token.split('.')[1]);
  if (id.nonce !== flow.nonce || id.aud !== clientID || id.iss !== server.issuer) throw new Error('The ID token is not for this sign-in.');
  kept.set('tokens', tokens);
}

async function redeem(server, grant) {
  const response = await fetch(server.token_endpoint, { method: 'POST', body: new URLSearchParams({ client_id: clientID, ...grant }) });
  const tokens = await response.json();
  if (!response.ok) throw new Error('The login service refused: ' + (tokens.error_description || tokens.error) + '.');
  return tokens;
}

// renew trades the refresh token for new tokens; each is good once.
async function renew() {
  const old = kept.get('tokens');
  kept.set('tokens', { ...old, ...await redeem(await metadata(), { grant_type: 'refresh_token', refresh_token: old.refresh_token }) });
  paint();
}

// signOut ends the session at Gatehouse too, by a form, so that no token stands in an address.
async function signOut() {
  const tokens = kept.get('tokens');
  kept.drop('tokens');
  const form = el('form');
  form.method = 'post';
  form.action = (await metadata()).end_session_endpoint;
  const fields = { id_token_hint: tokens.id_token, client_id: clientID, post_logout_redirect_uri: home };
  for (const [name, value] of Object.entries(fields)) {
    const input = el('input');
    Object.assign(input, { type: 'hidden', name, value });
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}

// Calling the API.

async function call(path, token, method = 'GET', form) {
  const headers = token ? { Authorization: 'Bearer ' + token } : {};
  const body = form && new URLSearchParams(form);
  const response = await fetch(path, { method, headers, body, credentials: 'omit', cache: 'no-store' });
  let answer = await response.text();
  try { answer = JSON.parse(answer); } catch { /* shown as it is */ }
  return { status: response.status, words: response.statusText, reason: response.headers.get('X-Gatehouse-Reason'), body: answer };
}

function show(where, r, detail) {
  const parts = [el('span', (r.status + ' ' + r.words).trim(), 'status')];
  if (detail) parts.push(detail);
  if (r.reason) parts.push(el('p', r.reason, 'why'));
  where.replaceChildren(...parts);
  where.dataset.status = r.status;
}

async function callWithout() {
  const r = await call('/demo/hello');
  show($('without-result'), r, el('p', r.status === 401 ? 'There was no token, so nobody was asked: the gateway sent us away.' : ''));
  $('card-without').classList.add('done');
}

async function callAgain() {
  const r = await call('/demo/hello', kept.get('tokens').access_token);
  show($('again-result'), r, el('pre', JSON.stringify(r.body, null, 1)));
  $('card-again').classList.toggle('done', r.status === 200);
  $('card-again').classList.toggle('next', r.status !== 200);
}

// tamper changes one character of the signature, well inside of it.
function tamper(token) {
  const at = token.lastIndexOf('.') + 20;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

// forged asks the dev server for a token that is wrong on purpose.
async function forged(kind) {
  const r = await call('/demo/forge/' + kind, kept.get('tokens').access_token, 'POST');
  if (r.status !== 200) throw new Error('Your own token is no longer good: sign in again.');
  return r.body.access_token;
}

const tries = {
  'try-admin': () => call('/demo/admin', kept.get('tokens').access_token),
  'try-tamper': () => call('/demo/hello', tamper(kept.get('tokens').access_token)),
  'try-id-token': () => call('/demo/hello', kept.get('tokens').id_token),
  'try-audience': async () => call('/demo/hello', await forged('audience')),
  'try-revoke': async () => {
    const token = kept.get('tokens').access_token;
    await call('/me/sessions/' + decode(token.split('.')[1]).sid, token, 'DELETE');
    return call('/demo/fresh', token);
  },
  'try-expired': async () => call('/demo/hello', await forged('expired')),
  'try-suspend': suspend,
  'try-activate': activate,
};

// suspend has the dev server suspend the visitor, who gets a way back: with the
// token they cannot ask for it any more. Then it calls the API once more.
async function suspend() {
  const token = kept.get('tokens').access_token;
  const r = await call('/demo/suspend', token, 'POST');
  if (r.status !== 200) return { ...r, reason: r.reason || r.body.detail };
  kept.set('wayBack', r.body.way_back);
  paint();
  return call('/demo/fresh', token);
}

async function activate() {
  const r = await call('/demo/activate', null, 'POST', { way_back: kept.get('wayBack') });
  if (r.status !== 204) return { ...r, reason: r.body.detail };
  kept.drop('wayBack');
  const after = await call('/demo/fresh', kept.get('tokens').access_token);
  return { ...after, reason: after.status === 200 ? 'They can sign in again.' : after.reason + ': sign in again for a new token' };
}

// What is on the page.

const meaning = {
  alg: 'how it is signed', kid: 'with which key', typ: 'an access token, and nothing else',
  iss: 'who issued it', sub: 'whom it is about', aud: 'the API it is for', client_id: 'the app it was issued to', scope: 'what the app may do',
  roles: 'what the user may do', sid: 'the session it belongs to', jti: 'this very token', iat: 'issued', exp: 'no good after', auth_time: 'when you signed in',
};

function list(where, claims) {
  where.replaceChildren();
  for (const [name, value] of Object.entries(claims)) {
    const shown = ['iat', 'exp', 'auth_time'].includes(name) ? new Date(value * 1000).toLocaleTimeString() : Array.isArray(value) ? value.join(', ') : String(value);
    const dd = el('dd', shown || 'none');
    if (meaning[name]) dd.append(el('span', meaning[name]));
    where.append(el('dt', name), dd);
  }
}

let ticking;

function count(claims) {
  const left = Math.max(0, Math.round(claims.exp - Date.now() / 1000));
  $('countdown').textContent = left ? Math.floor(left / 60) + ':' + String(left % 60).padStart(2, '0') + ' min' : 'nothing any more';
  $('left').value = left / (claims.exp - claims.iat);
}

function paint() {
  const tokens = kept.get('tokens');
  $('who').hidden = $('signed-in').hidden = !tokens;
  $('call-again').disabled = !tokens;
  $('call-again').classList.toggle('primary', !!tokens);
  $('card-sign-in').classList.toggle('done', !!tokens);
  $('card-sign-in').classList.toggle('next', !tokens);
  $('card-again').classList.toggle('next', !!tokens);
  if (!tokens) return;
  const [header, claims] = tokens.access_token.split('.', 2).map(decode);
  const id = decode(tokens.id_token.split('.')[1]);
  $('name').textContent = id.name || id.email || id.sub;
  $('sign-in').textContent = 'Sign in as someone else';
  $('sign-in').classList.remove('primary');
  show($('sign-in-result'), { status: 200, words: 'Signed in' }, el('p', 'You are ' + $('name').textContent + '. This page now holds a token for ten minutes.'));
  $('sign-in-result').firstChild.textContent = 'Signed in';
  list($('token-header'), header);
  list($('token-claims'), claims);
  $('raw-token').textContent = tokens.access_token;
  $('renew').hidden = !tokens.refresh_token;
  $('way-back').hidden = !kept.get('wayBack');
  count(claims);
  clearInterval(ticking);
  ticking = setInterval(count, 1000, claims);
}

function complain(err) {
  $('alert').textContent = err.message;
  $('alert').hidden = false;
}

// on runs what a button is for, and says so if that went wrong.
function on(id, run) {
  $(id).addEventListener('click', async () => {
    $('alert').hidden = true;
    try { await run(); } catch (err) { complain(err); }
  });
}

on('call-without', callWithout);
on('sign-in', signIn);
on('call-again', callAgain);
on('sign-out', signOut);
on('renew', renew);
for (const [id, run] of Object.entries(tries)) on(id, async () => show($(id + '-result'), await run()));
comeBack().catch(complain).then(paint).then(callWithout).catch(complain);
