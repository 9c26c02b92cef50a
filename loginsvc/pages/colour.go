package pages

import (
	"fmt"
	"math"
	"strconv"
)

// rgb is a colour in sRGB.
type rgb struct{ r, g, b uint8 }

var (
	black = rgb{}
	white = rgb{0xff, 0xff, 0xff}
)

// parseColour reads #rgb and #rrggbb, and nothing else: the colour is written
// into a style sheet.
func parseColour(s string) (rgb, error) {
	digits := s
	if len(s) == 4 {
		digits = string([]byte{s[0], s[1], s[1], s[2], s[2], s[3], s[3]})
	}
	if len(digits) == 7 && digits[0] == '#' {
		if n, err := strconv.ParseUint(digits[1:], 16, 24); err == nil {
			return rgb{uint8(n >> 16), uint8(n >> 8), uint8(n)}, nil
		}
	}
	return rgb{}, fmt.Errorf("%q is not a colour: write it as #rgb or #rrggbb", s)
}

func (c rgb) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

// mix returns c with share of other in it, from 0 to 1.
func (c rgb) mix(other rgb, share float64) rgb {
	part := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-share) + float64(b)*share)) }
	return rgb{part(c.r, other.r), part(c.g, other.g), part(c.b, other.b)}
}

// towards is mix with as much of share as leaves text readable on the result.
func (c rgb) towards(other rgb, share float64, text rgb) rgb {
	for ; share > 0; share -= 0.01 {
		if mixed := c.mix(other, share); contrast(mixed, text) >= 4.5 {
			return mixed
		}
	}
	return c
}

// until mixes other into c until c has at least the contrast least on every one
// of grounds. It ends at other, which must have that contrast.
func (c rgb) until(other rgb, least float64, grounds ...rgb) rgb {
	for share := 0.0; share < 1; share += 0.02 {
		mixed, enough := c.mix(other, share), true
		for _, g := range grounds {
			enough = enough && contrast(mixed, g) >= least
		}
		if enough {
			return mixed
		}
	}
	return other
}

// opposite returns white or black, whichever reads well on c; one of them does.
func (c rgb) opposite() rgb {
	if contrast(white, c) >= 4.5 {
		return white
	}
	return black
}

// luminance is the relative luminance of WCAG 2.2.
func (c rgb) luminance() float64 {
	linear := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b rgb) float64 {
	hi, lo := a.luminance(), b.luminance()
	if hi < lo {
		hi, lo = lo, hi
	}
	return (hi + 0.05) / (lo + 0.05)
}
