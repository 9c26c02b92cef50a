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

// variables returns the CSS custom properties of b, for light and for dark.
func (b Brand) variables() (string, error) {
	colours := map[string]rgb{}
	for _, f := range []struct{ name, value string }{{"accent", b.Accent}, {"background", b.Background}, {"text", b.Text}} {
		c, err := parseColour(f.value)
		if err != nil {
			return "", fmt.Errorf("brand: %s: %w", f.name, err)
		}
		colours[f.name] = c
	}
	accent, background, text := colours["accent"], colours["background"], colours["text"]
	if got := contrast(text, background); got < 4.5 {
		return "", fmt.Errorf("brand: text %s on background %s has a contrast of %.1f: choose two that reach 4.5", b.Text, b.Background, got)
	}
	light := newPalette(accent, background, text)
	dark := light
	if background.luminance() > text.luminance() {
		darkBg, _ := parseColour(darkBackground)
		darkFg, _ := parseColour(darkText)
		dark = newPalette(accent, darkBg, darkFg)
	}
	return ":root{" + light.css() + "}\n@media (prefers-color-scheme:dark){:root{" + dark.css() + "}}\n", nil
}

// palette is one look. Every pair of text and ground in it has a contrast of at
// least 4.5, every control and its ground of at least 3 (WCAG 2.2, 1.4.3, 1.4.11).
type palette struct {
	ground, surface, text, muted rgb
	line, control                rgb // decoration; the edge of a field or button
	accent, onAccent, link, tint rgb // filled buttons and the text on them; links; a quiet fill
	danger, caution              rgb
}

func newPalette(accent, ground, text rgb) palette {
	towards := white
	surface := ground.mix(white, 0.85)
	if ground.luminance() < text.luminance() {
		surface = ground.mix(text, 0.06)
	} else {
		towards = black
	}
	readable := func(c rgb, least float64, on ...rgb) rgb { return c.until(text, least, on...) }
	p := palette{ground: ground, surface: surface, text: text}
	p.tint = surface.mix(accent, 0.09)
	p.muted = readable(text.mix(surface, 0.42), 4.6, ground, surface, p.tint)
	p.line = surface.mix(text, 0.13)
	p.control = readable(surface.mix(text, 0.4), 3.1, ground, surface)
	if towards == white {
		p.tint = surface.mix(text, 0.06)
	}
	p.accent = accent.until(towards, 3.1, ground, surface)
	p.onAccent, _ = parseColour(onColour(p.accent.String()))
	p.link = accent.until(towards, 4.6, ground, surface, p.tint)
	p.danger = rgb{0xb4, 0x2a, 0x2a}.until(towards, 4.6, ground, surface, p.tint)
	p.caution = rgb{0x8a, 0x5a, 0x00}.until(towards, 4.6, ground, surface, p.tint)
	return p
}

func (p palette) css() string {
	var s strings.Builder
	for _, v := range []struct {
		name  string
		value rgb
	}{
		{"ground", p.ground}, {"surface", p.surface}, {"text", p.text}, {"muted", p.muted}, {"line", p.line},
		{"control", p.control}, {"accent", p.accent}, {"on-accent", p.onAccent}, {"link", p.link}, {"tint", p.tint},
		{"danger", p.danger}, {"caution", p.caution},
	} {
		fmt.Fprintf(&s, "--%s:%s;", v.name, v.value)
	}
	return s.String()
}
