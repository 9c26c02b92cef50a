package pages

import (
	"fmt"
	"strings"
)

// Brand is how a team's pages look. Colours are written #rgb or #rrggbb; the
// rest of the palette, and the look for people who prefer dark, is derived from
// them so that every text keeps a contrast of at least 4.5.
type Brand struct {
	Name       string // shown on every page; "": Gatehouse
	Accent     string // buttons, links and the mark; "": pine green
	Background string // behind everything, in the light look; "": warm white
	Text       string // in the light look; "": near black. At least 4.5 against Background
}

// The dark look when Background is a light colour.
const (
	darkBackground = "#0f1412"
	darkText       = "#e7ece9"
)

func (b Brand) withDefaults() Brand {
	for _, d := range []struct {
		field *string
		value string
	}{{&b.Name, "Gatehouse"}, {&b.Accent, "#1c6350"}, {&b.Background, "#f5f4f0"}, {&b.Text, "#1a211e"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	return b
}

// variables returns the CSS custom properties of b, for light and for dark, and
// its accent.
func (b Brand) variables() (css string, accent rgb, err error) {
	colours := map[string]rgb{}
	for _, f := range []struct{ name, value string }{{"accent", b.Accent}, {"background", b.Background}, {"text", b.Text}} {
		c, err := parseColour(f.value)
		if err != nil {
			return "", accent, fmt.Errorf("brand: %s: %w", f.name, err)
		}
		colours[f.name] = c
	}
	accent = colours["accent"]
	background, text := colours["background"], colours["text"]
	if got := contrast(text, background); got < 4.5 {
		return "", accent, fmt.Errorf("brand: text %s on background %s has a contrast of %.1f: choose two that reach 4.5", b.Text, b.Background, got)
	}
	light := newPalette(accent, background, text)
	dark := light
	if background.luminance() > text.luminance() {
		darkBg, _ := parseColour(darkBackground)
		darkFg, _ := parseColour(darkText)
		dark = newPalette(accent, darkBg, darkFg)
	}
	return ":root{" + light.css() + "}\n@media (prefers-color-scheme:dark){:root{" + dark.css() + "}}\n", accent, nil
}

// palette is one look. Every pair of text and ground in it has a contrast of at
// least 4.5, every control and its ground of at least 3 (WCAG 2.2, 1.4.3, 1.4.11).
type palette struct {
	ground, surface, text, muted rgb
	line, edge, control          rgb // rules; the edge of a button, which its text tells; the edge of a field
	accent, onAccent, link, tint rgb // filled buttons and the text on them; links; a quiet fill
	danger, caution              rgb
}

func newPalette(accent, ground, text rgb) palette {
	lift, share := white, 0.85 // a card is a lighter sheet
	if ground.luminance() < text.luminance() {
		lift, share = text, 0.06
	}
	p := palette{ground: ground, text: text}
	p.surface = ground.towards(lift, share, text)
	p.tint = p.surface.towards(accent, 0.09, text)
	if lift == text { // a dark accent would not show on a dark ground
		p.tint = p.surface.towards(text, 0.06, text)
	}
	p.line = p.surface.mix(text, 0.13)
	p.edge = p.surface.mix(text, 0.26)
	p.muted = text.mix(p.surface, 0.42).until(text, 4.5, ground, p.surface, p.tint)
	p.control = p.surface.mix(text, 0.4).until(text, 3, ground, p.surface)
	p.accent = accent.until(text, 3, ground, p.surface)
	p.onAccent = p.accent.opposite()
	p.link = accent.until(text, 4.5, ground, p.surface, p.tint)
	p.danger = rgb{0xb4, 0x2a, 0x2a}.until(text, 4.5, ground, p.surface, p.tint)
	p.caution = rgb{0x8a, 0x5a, 0x00}.until(text, 4.5, ground, p.surface, p.tint)
	return p
}

func (p palette) css() string {
	var s strings.Builder
	for _, v := range []struct {
		name  string
		value rgb
	}{
		{"ground", p.ground}, {"surface", p.surface}, {"text", p.text}, {"muted", p.muted}, {"line", p.line}, {"edge", p.edge},
		{"control", p.control}, {"accent", p.accent}, {"on-accent", p.onAccent}, {"link", p.link}, {"tint", p.tint},
		{"danger", p.danger}, {"caution", p.caution},
	} {
		fmt.Fprintf(&s, "--%s:%s;", v.name, v.value)
	}
	return s.String()
}
