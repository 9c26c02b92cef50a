package tokentest

import (
	"strconv"
	"strings"
	"time"
)

// genuine is tokens that we might have issued, and other spellings of them that
// mean the same.
func (w World) genuine() []Row {
	h, c := Header(Ours()), w.Claims()
	roles := `["role-1"`
	for i := range 19 {
		roles += `,"role-` + strconv.Itoa(i+2) + `"`
	}
	// Three of four characters of base64url carry what is signed.
	room := (8192-len(signed(c)))*3/4 - len(`,"name":""`) - 4
	rows := []Row{
		{Name: "as issued", RawToken: signed(c)},
		{Name: "typ with the prefix application/", RawToken: w.headed(h.Set("typ", `"application/at+jwt"`))},
		{Name: "signed by the other published key", RawToken: Sign(Next(), Header(Next()).String(), c.String())},
		{Name: "several audiences, one of them ours", RawToken: signed(c.Set("aud", `["https://other.example",`+quote(w.Audience)+`]`))},
		{Name: "a machine: no session, no roles, no sign-in", RawToken: signed(c.Drop("sid").Drop("roles").Drop("auth_time"))},
		{Name: "no scope", RawToken: signed(c.Drop("scope"))},
		{Name: "an empty list of roles", RawToken: signed(c.Set("roles", `[]`))},
		{Name: "twenty roles", RawToken: signed(c.Set("roles", roles+"]"))},
		{Name: "unknown claims", RawToken: signed(c.Add("ext", `{"a":[1,{"b":"]}\""}],"c":null}`).Add("Exp", `1`).Add("n", `-1.5e3`))},
		{Name: "unknown header members", RawToken: w.headed(h.Add("x5t", `"abc"`).Add("ALG", `"none"`).Add("", `[]`))},
		{Name: "JSON with white space", RawToken: Sign(Ours(), " {\n\"typ\" : \"at+jwt\" ,\t\"alg\" : \"RS256\" , \"kid\" : "+quote(Ours().ID())+"\r\n} ",
			strings.ReplaceAll(strings.ReplaceAll(c.String(), `,"`, " ,\n \""), `":`, `"	: `))},
		{Name: "JSON with escapes", RawToken: signed(c.Set("sub", `"\u0075_lin"`).Drop("jti").Add(`j\u0074i`, `"jti-1"`))},
		{Name: "letters of many alphabets in the name", RawToken: signed(c.Add("name", `"Lïn \ud83d\ude00 \"<script>\" 林"`))},
		{Name: "within the leeway of its end", RawToken: signed(c.Set("exp", w.at(time.Second-w.Leeway)))},
		{Name: "from a clock within the leeway ahead", RawToken: signed(c.Set("iat", w.at(w.Leeway)).Add("nbf", w.at(w.Leeway)))},
		{Name: "a deep but harmless claim", RawToken: signed(c.Add("deep", strings.Repeat("[", 500)+strings.Repeat("]", 500)))},
		{Name: "as large as a token may be", RawToken: signed(c.Add("name", quote(strings.Repeat("x", room))))},
	}
	return rows
}
