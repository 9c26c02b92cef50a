"""Python libraries of others, as they come: python3 programs.py NAME signs in,
renews, and prints "ok"."""
import json
import os
import sys
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the issuer is on this machine
issuer = os.environ["GATEHOUSE_ISSUER"]
program = json.loads(os.environ["GATEHOUSE_PROGRAM"])
client_id, secret, redirect = program["id"], program["secret"], program["redirect"]
scope = ["openid", "profile", "email", "offline_access"]


def approve(url):
    """Returns the address at the client to which a person is sent who signs in as Lin."""
    browser = requests.Session()
    response = browser.get(url, allow_redirects=False)
    for _ in range(12):
        if "location" in response.headers:
            to = urljoin(response.url, response.headers["location"])
            if to.startswith(redirect):
                return to
            response = browser.get(to, allow_redirects=False)
        else:
            assert 'name="user"' in response.text, f"stranded with {response.status_code}"
            response = browser.post(response.url, data={"user": "lin"}, allow_redirects=False)
    raise AssertionError("the sign-in goes round in circles")


def authlib():
    from authlib.common.security import generate_token
    from authlib.integrations.requests_client import OAuth2Session
    from authlib.jose import JsonWebKey, jwt

    verifier, nonce = generate_token(48), generate_token(20)
    client = OAuth2Session(client_id, secret, scope=" ".join(scope), redirect_uri=redirect, code_challenge_method="S256")
    url, _ = client.create_authorization_url(issuer + "/authorize", code_verifier=verifier, nonce=nonce)
    tokens = client.fetch_token(issuer + "/token", authorization_response=approve(url), code_verifier=verifier)
    keys = JsonWebKey.import_key_set(requests.get(issuer + "/.well-known/jwks.json").json())
    claims = jwt.decode(tokens["id_token"], keys)
    claims.validate()
    assert claims["nonce"] == nonce and claims["name"] == "Lin"
    renewed = client.refresh_token(issuer + "/token", refresh_token=tokens["refresh_token"])
    assert renewed["access_token"] != tokens["access_token"]
    assert client.get(issuer + "/userinfo").json()["email"] == "lin@example.com"


def requests_oauthlib():
    from requests_oauthlib import OAuth2Session

    client = OAuth2Session(client_id, redirect_uri=redirect, scope=scope)
    url, state = client.authorization_url(issuer + "/authorize")
    back = approve(url)
    assert parse_qs(urlsplit(back).query)["state"] == [state]
    tokens = client.fetch_token(issuer + "/token", authorization_response=back, client_secret=secret)
    assert client.get(issuer + "/userinfo").json()["email"] == "lin@example.com"
    renewed = client.refresh_token(issuer + "/token", auth=(client_id, secret))
    assert renewed["access_token"] != tokens["access_token"]


{"authlib": authlib, "requests-oauthlib": requests_oauthlib}[sys.argv[1]]()
print("ok")
