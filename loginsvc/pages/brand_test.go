package pages

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestColoursAreColours(t *testing.T) {
	for _, bad := range []string{"red", "#12", "#12345", "#1234567", "#ggg", "#+12345", "rgb(0,0,0)", "#fff;}body{display:none", "#fff\n", "url(x)", " #fff", "#１２３"} {
		for field, b := range map[string]Brand{"accent": {Accent: bad}, "background": {Background: bad}, "text": {Text: bad}} {
			if _, err := New(b); err == nil || !strings.Contains(err.Error(), field) {
				t.Errorf("%s %q: error %v, want one that names the field", field, bad, err)
			}
		}
	}
	if _, err := New(Brand{Text: "#999", Background: "#fff"}); err == nil {
		t.Error("grey on white was accepted as a text colour")
	}
}

// TestContrast: whatever a team chooses, people can read it.
func TestContrast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		colour := rapid.Custom(func(t *rapid.T) rgb {
			return rgb{rapid.Byte().Draw(t, "r"), rapid.Byte().Draw(t, "g"), rapid.Byte().Draw(t, "b")}
		})
		accent, ground, text := colour.Draw(t, "accent"), colour.Draw(t, "ground"), colour.Draw(t, "text")
		if contrast(text, ground) < 4.5 {
			t.Skip()
		}
		p := newPalette(accent, ground, text)
		for _, pair := range []struct {
			name  string
			a, b  rgb
			least float64
		}{
			{"text on ground", p.text, p.ground, 4.5}, {"text on surface", p.text, p.surface, 4.5}, {"text on tint", p.text, p.tint, 4.5},
			{"muted on ground", p.muted, p.ground, 4.5}, {"muted on surface", p.muted, p.surface, 4.5}, {"muted on tint", p.muted, p.tint, 4.5},
			{"link on surface", p.link, p.surface, 4.5}, {"link on ground", p.link, p.ground, 4.5}, {"link on tint", p.link, p.tint, 4.5},
			{"button", p.onAccent, p.accent, 4.5}, {"button's edge", p.accent, p.surface, 3}, {"field's edge", p.control, p.surface, 3},
			{"danger", p.danger, p.surface, 4.5}, {"caution", p.caution, p.tint, 4.5},
		} {
			if got := contrast(pair.a, pair.b); got < pair.least {
				t.Fatalf("%s: %s and %s have %.2f, want %.1f", pair.name, pair.a, pair.b, got, pair.least)
			}
		}
	})
}

func TestBrandReachesThePage(t *testing.T) {
	p, err := New(Brand{Name: "Lighthouse", Accent: "#048"})
	if err != nil {
		t.Fatal(err)
	}
	if p.brand != "Lighthouse" || !strings.Contains(string(p.style), "--accent:#004488;") {
		t.Errorf("brand %q, style %.200s", p.brand, p.style)
	}
}
