package plaintext_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/internal/plaintext"
)

func TestHidden(t *testing.T) {
	t.Parallel()
	for _, r := range []rune{
		0, '\n', '\r', '\t', 0x7f, 0x85, 0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180b, 0x180e,
		0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e,
		0x2060, 0x2061, 0x2064, 0x2065, 0x2066, 0x2067, 0x2068, 0x2069, 0x206a, 0x206f, 0x2800, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0,
		0xfff0, 0xfff9, 0xfffb, 0xfffd, 0x1bca0, 0x1d173, 0xe0001, 0xe0020, 0xe007f, 0xe0100, 0xe01ef, 0xe0fff,
	} {
		s := "a" + string(r) + "b"
		if !plaintext.HasHidden(s) || plaintext.Strip(s) != "ab" {
			t.Errorf("U+%04X stays: %q", r, plaintext.Strip(s))
		}
	}
	for _, s := range []string{"Ada Lovelace", "Linnéa", "Ⅷ", "محمد", "דוד", "山田太郎", "O’Brien", "😀", "नमस्ते", "ʻOkina", "Zoë", "a b", "İ"} {
		if plaintext.HasHidden(s) || plaintext.Strip(s) != s {
			t.Errorf("%q is changed to %q", s, plaintext.Strip(s))
		}
	}
	if !plaintext.HasHidden("a\xff") || plaintext.Strip(" a\xffb \u200b ") != "ab" {
		t.Error("bytes that are not UTF-8 stay")
	}
}

func FuzzStrip(f *testing.F) {
	f.Add("a\u202eb", 1)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := plaintext.Strip(s)
		if plaintext.HasHidden(got) || !utf8.ValidString(got) || plaintext.Strip(got) != got || strings.TrimSpace(got) != got {
			t.Errorf("%q becomes %q", s, got)
		}
		if limit >= 0 {
			if cut := plaintext.Cut(got, limit); len(cut) > limit && len(got) > limit || !utf8.ValidString(cut) || !strings.HasPrefix(got, cut) {
				t.Errorf("%q is cut to %q", got, cut)
			}
		}
	})
}
