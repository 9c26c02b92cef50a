// Returns what is wrong with how this page looks, as a list of sentences.
(() => {
  const wrong = [];
  const visible = e => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden';
  const called = e => e.tagName.toLowerCase() + ' "' + (e.innerText || e.name || e.id || '').trim().slice(0, 40) + '"';

  if (!document.documentElement.lang) wrong.push('the page says no language');
  if (document.querySelectorAll('h1').length !== 1) wrong.push('the page has not one h1');
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over > 0) wrong.push('the page scrolls sideways by ' + over + ' px');

  for (const e of document.querySelectorAll('button, summary, select, textarea, a, input:not([type=hidden])')) {
    if (!visible(e)) continue;
    const box = (e.closest('label') || e).getBoundingClientRect();
    if (box.height < 43.5) wrong.push(called(e) + ' is ' + Math.round(box.height) + ' px high');
    if (e.matches('input, select, textarea') && !e.labels.length && !e.ariaLabel) wrong.push(called(e) + ' has no label');
  }

  // Contrast (WCAG 2.2, 1.4.3). Colours are read back from a canvas, which
  // knows every way of writing one.
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over_ = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a), 1];
  const ground = e => {
    if (!e) return rgba('Canvas');
    const style = getComputedStyle(e);
    const gradient = style.backgroundImage.match(/(?:rgb|rgba|#|oklch|color)\(?[^)]*\)/);
    const own = rgba(gradient ? gradient[0] : style.backgroundColor);
    return own[3] === 1 ? own : over_(own, ground(e.parentElement));
  };
  const luminance = c => {
    const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const seen = new Set();
  for (const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); walker.nextNode();) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(e) || !visible(e) || e.closest('noscript, script, style, :disabled')) continue;
    seen.add(e);
    const back = ground(e), style = getComputedStyle(e);
    const text = over_(rgba(style.color), back);
    const [hi, lo] = [luminance(text), luminance(back)].sort((a, b) => b - a);
    const ratio = (hi + 0.05) / (lo + 0.05);
    const big = parseFloat(style.fontSize) >= 24 || parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700;
    if (ratio < (big ? 3 : 4.5)) wrong.push(called(e) + ' has a contrast of ' + ratio.toFixed(2) + ' (' + style.color + ' on ' + back + ')');
  }
  return wrong;
})()
