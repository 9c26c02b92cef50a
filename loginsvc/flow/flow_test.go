package flow

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestSealOpen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret, id := NewSecret(), NewID()
		content := rapid.SliceOf(rapid.Byte()).Draw(t, "content")
		sealed := secret.Keys(id).Seal(content)
		opened, err := secret.Keys(id).Open(sealed)
		if err != nil || !bytes.Equal(opened, content) {
			t.Fatalf("opened %q, %v", opened, err)
		}
		if len(content) > 15 && bytes.Contains(sealed, content) {
			t.Fatal("the content can be read")
		}
		if _, err := NewSecret().Keys(id).Open(sealed); err != ErrSealed {
			t.Fatal("another browser opens it")
		}
		if _, err := secret.Keys(NewID()).Open(sealed); err != ErrSealed {
			t.Fatal("it opens as another flow")
		}
		bit := rapid.IntRange(0, len(sealed)*8-1).Draw(t, "bit")
		changed := bytes.Clone(sealed)
		changed[bit/8] ^= 1 << (bit % 8)
		if _, err := secret.Keys(id).Open(changed); err != ErrSealed {
			t.Fatalf("bit %d changed, and it opens", bit)
		}
		if _, err := secret.Keys(id).Open(sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "size")]); err != ErrSealed {
			t.Fatal("truncated, and it opens")
		}
		if _, err := secret.Keys(id).Open(append(sealed, 0)); err != ErrSealed {
			t.Fatal("longer, and it opens")
		}
	})
}

func TestKeysDiffer(t *testing.T) {
	t.Parallel()
	secret, seen := NewSecret(), map[string]bool{secretText: true}
	for range 100 {
		k := secret.Keys(NewID())
		for _, value := range []string{k.Nonce, k.Verifier, string(k.iv), string(k.Seal(nil))} {
			if seen[value] {
				t.Fatalf("%q occurs twice", value)
			}
			seen[value] = true
		}
		if len(k.Nonce) != 43 || len(k.Verifier) != 43 { // RFC 7636, Section 4.1
			t.Errorf("nonce %d, verifier %d characters", len(k.Nonce), len(k.Verifier))
		}
		sum := sha256.Sum256([]byte(k.Verifier))
		if base64.RawURLEncoding.EncodeToString(sum[:]) == k.Nonce {
			t.Error("the nonce is the challenge")
		}
	}
}

const secretText = "[secret]"

func TestSecretDoesNotPrint(t *testing.T) {
	t.Parallel()
	s := NewSecret()
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, s); got != secretText {
			t.Errorf("%s prints %q", format, got)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := State{Browser: NewName(), ID: NewID(), Sealed: rapid.SliceOf(rapid.Byte()).Draw(t, "sealed")}
		got, ok := ParseState(s.String())
		if !ok || got.Browser != s.Browser || got.ID != s.ID || !bytes.Equal(got.Sealed, s.Sealed) {
			t.Fatalf("%+v became %+v", s, got)
		}
		secret := NewSecret()
		if again, ok := ParseSecret(secret.Cookie()); !ok || again != secret {
			t.Fatal("the secret changed")
		}
		fields := rapid.SliceOf(rapid.String()).Draw(t, "fields")
		split, ok := Split(Join(fields...))
		if !ok || fmt.Sprint(split) != fmt.Sprint(fields) || len(split) != len(fields) {
			t.Fatalf("%q became %q", fields, split)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.SliceOf(rapid.Byte()).Draw(t, "content")
		if got, ok := Decompress(Compress(content)); !ok || !bytes.Equal(got, content) {
			t.Fatalf("%q became %q", content, got)
		}
		if got, ok := ParseSealedText(SealedText(content)); !ok || !bytes.Equal(got, content) {
			t.Fatalf("%q became %q", content, got)
		}
	})
	if got, ok := Decompress(Compress(make([]byte, 17<<10))); ok {
		t.Errorf("a content of %d bytes", len(got))
	}
	for _, bad := range []string{
		"", "AAAAAA", "AAAAAA" + encode(make([]byte, 15)), "aaaaaa" + encode(make([]byte, 16)), "AAAAA" + encode(make([]byte, 16)),
		"AAAAAA" + encode(make([]byte, 16)) + "=", "AAAAAA" + encode(make([]byte, 16)) + "\n", " AAAAAA" + encode(make([]byte, 16)),
		"AAAAAA" + encode(make([]byte, 16))[:21] + "B", // bits that no byte has
	} {
		if s, ok := ParseState(bad); ok {
			t.Errorf("%q is read as %+v", bad, s)
		}
	}
	for _, bad := range []string{"", "A", encode(make([]byte, 15)), encode(make([]byte, 17)), encode(make([]byte, 16)) + "\r\n"} {
		if _, ok := ParseSecret(bad); ok {
			t.Errorf("%q is read as a secret", bad)
		}
	}
}

// FuzzParseState looks for a text that is read as a state and written as another
// text, and for a content that cannot be split safely.
func FuzzParseState(f *testing.F) {
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add(State{Browser: "ABC234", ID: NewID(), Sealed: Join("a", "", "b")}.String())
	f.Add("\x05a")
	f.Fuzz(func(t *testing.T, text string) {
		if s, ok := ParseState(text); ok && s.String() != text {
			t.Errorf("%q is written as %q", text, s)
		}
		Decompress([]byte(text))
		if fields, ok := Split([]byte(text)); ok {
			if again, ok := Split(Join(fields...)); !ok || fmt.Sprintf("%q", again) != fmt.Sprintf("%q", fields) {
				t.Errorf("%q became %q", fields, again)
			}
		}
	})
}
