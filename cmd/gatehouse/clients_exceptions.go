package main

// exceptionFlags are the exceptions of a client: nil leaves one as it is, and ""
// takes it back.
type exceptionFlags struct {
	PKCE            *string  `name:"pkce" placeholder:"WORD" help:"Of an app with a secret that sends no code challenge: nonce if it sends a nonce, or off. docs/CONFIG.md says what you accept with each exception."`
	Loopback        *string  `placeholder:"WORD" help:"Of a program on people's own machines: localhost allows any port of http://localhost."`
	RefreshGrace    *string  `name:"refresh-grace" placeholder:"SPAN" help:"How long it can repeat a renewal whose response it lost, such as 5m (as long as gatehouse.yml says)."`
	RedirectSchemes []string `sep:"none" name:"redirect-scheme" placeholder:"SCHEME" help:"Of a public app: a scheme of its own without a dot, such as cursor. Again for each one."`
}

// said returns the values of the flags that were given, by the keys of exceptions.
func (f exceptionFlags) said() map[string][]string {
	said := make(map[string][]string)
	for key, value := range map[string]*string{"pkce": f.PKCE, "loopback": f.Loopback, "refresh_grace": f.RefreshGrace} {
		if value != nil {
			said[key] = []string{*value}
		}
	}
	if f.RedirectSchemes != nil {
		said["redirect_schemes"] = f.RedirectSchemes
	}
	return said
}
