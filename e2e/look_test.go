package e2e

import (
	_ "embed"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

//go:embed look.js
var lookJS string

// maxPage is the most that a page may weigh with all it loads.
const maxPage = 30_000

// looks are the ways in which somebody may look at a page.
var looks = []struct {
	name   string
	scheme string // prefers-color-scheme
	width  int64
}{
	{"light", "light", 1280},
	{"dark", "dark", 1280},
	{"narrow", "light", 320},
}

// look keeps a picture of the page in each look under shots/, and checks by
// measure what a person would see: contrast, size of targets, sideways scroll.
func (b *browser) look(name string) {
	b.t.Helper()
	if err := os.MkdirAll("shots", 0o755); err != nil {
		b.t.Fatal(err)
	}
	for _, l := range looks {
		b.emulate(l.scheme, l.width)
		complaints, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](lookJS))
		if err != nil {
			b.t.Fatal(err)
		}
		for _, c := range complaints {
			b.t.Errorf("%s, %s: %s", name, l.name, c)
		}
		picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("shots", name+"-"+l.name+".png"), picture, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	b.emulate("light", 1280)
}

func (b *browser) emulate(scheme string, width int64) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(width, 900))
}

// weigh fails the test if the page and all that it loaded is too heavy.
func (b *browser) weigh(name string) {
	b.t.Helper()
	weight, err := strconv.Atoi(b.eval(`String([...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
		.filter(e => e.initiatorType !== "fetch").reduce((sum, e) => sum + e.decodedBodySize, 0))`))
	if err != nil || weight == 0 || weight > maxPage {
		b.t.Errorf("%s weighs %d bytes, want at most %d", name, weight, maxPage)
	}
}

// seen is look and weigh.
func (b *browser) seen(name string) {
	b.t.Helper()
	b.weigh(name)
	b.look(name)
}

// TestLookComplains proves that a page which looks bad is noticed.
func TestLookComplains(t *testing.T) {
	devOnly(t)
	b := openBrowser(t)
	b.do(chromedp.Navigate(`data:text/html,<!doctype html><title>x</title><body style="width:900px;background:white"><h1>a</h1><h1>b</h1>` +
		`<p style="color:%23aaa">pale</p><button>x</button><input><a href="/">y</a>`))
	b.emulate("light", 320)
	complaints, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](lookJS))
	if err != nil {
		t.Fatal(err)
	}
	if len(complaints) < 6 {
		t.Errorf("only these complaints: %q", complaints)
	}
}
