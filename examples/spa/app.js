// A single-page app: sign in, call an API behind the authorizer, renew, call again.
const issuer = "http://localhost:8787";
const api = "http://localhost:8787"; // in AWS your API has an address of its own
const path = "/orders";

const users = new oidc.UserManager({
  authority: issuer,
  client_id: "orders-spa",
  redirect_uri: location.origin + "/",
  post_logout_redirect_uri: location.origin + "/",
  scope: "openid profile email offline_access",
  automaticSilentRenew: true, // renews before expires_in is over
  accessTokenExpiringNotificationTimeInSeconds: 60,
});

// A refresh token is good for one renewal, so there is one at a time.
let renewing;
const renew = () => (renewing ??= users.signinSilent().finally(() => (renewing = undefined)));

// call sends the access token. 401 and 403 can both mean that it has expired or was
// revoked (an HTTP API answers 403): then it renews once and tries again. A 403 that
// stays says that the user is not allowed to.
async function call(path, options = {}) {
  const send = (user) =>
    fetch(api + path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${user.access_token}` } });
  const user = await users.getUser();
  if (!user) throw new Error("sign in first");
  const response = await send(user.expired ? await renew() : user);
  return response.status === 401 || response.status === 403 ? send(await renew()) : response;
}

const show = (id, text) => (document.getElementById(id).textContent = text);
const on = (id, act) => (document.getElementById(id).onclick = () => act().catch((e) => show("answer", e.message)));

on("sign-in", () => users.signinRedirect());
on("sign-out", () => users.signoutRedirect());
on("call", async () => {
  const response = await call(path);
  show("answer", `${response.status} ${await response.text()}`);
});

(async () => {
  const back = new URLSearchParams(location.search);
  if (back.has("code") || back.has("error")) await users.signinRedirectCallback();
  else if (back.has("state")) await users.signoutRedirectCallback();
  if (location.search) history.replaceState(null, "", "/");
  const user = await users.getUser();
  show("who", user ? `Signed in as ${user.profile.name}` : "Signed out");
})().catch((e) => show("who", e.message));
