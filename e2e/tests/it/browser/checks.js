// What must hold for every page; returns what does not, one sentence each.
const problems = [];

// Contrast of each text with what is behind it (WCAG 2.2, 1.4.3; 4.5:1 for large text, too).
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}
function luminance([r, g, b]) {
  const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}
function background(element) {
  for (let at = element; at; at = at.parentElement) {
    const colour = rgba(getComputedStyle(at).backgroundColor);
    if (colour[3] === 1) return colour;
    if (colour[3] > 0) problems.push(`<${at.localName}> is half transparent: contrast is not known`);
  }
  return rgba("Canvas");
}
let texts = 0;
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!own || !element.checkVisibility() || element.closest("script, style, noscript, title, desc")) continue;
  texts += 1;
  const style = getComputedStyle(element);
  const ink = rgba(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
  const [light, dark] = [luminance(ink), luminance(background(element))].sort((a, b) => b - a);
  const contrast = (light + 0.05) / (dark + 0.05);
  if (contrast < 4.5) {
    problems.push(`contrast ${contrast.toFixed(2)}:1 of <${element.localName} class="${element.getAttribute("class")}"> ${element.textContent.trim().slice(0, 40)}`);
  }
}
if (texts === 0) problems.push("there is no text at all");

// Pictures have a text, or are hidden from those who cannot see them.
for (const picture of document.querySelectorAll("svg, canvas, img")) {
  const named = picture.getAttribute("aria-label") || picture.getAttribute("alt") || picture.querySelector("title")?.textContent
    || document.getElementById(picture.getAttribute("aria-labelledby"))?.textContent;
  if (!named && !picture.closest("[aria-hidden=true]")) problems.push(`<${picture.localName}> has no text: ${picture.outerHTML.slice(0, 80)}`);
}

// Nothing comes from elsewhere.
for (const { name } of performance.getEntriesByType("resource")) {
  if (new URL(name).origin !== location.origin) problems.push(`${name} is loaded from elsewhere`);
}

// Nothing sticks out: only what is meant to scrolls sideways.
const wide = document.documentElement.scrollWidth - innerWidth;
if (wide > 0) problems.push(`the page is ${wide} pixels wider than the screen`);

const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
if (twice.length > 0) problems.push(`ids are given twice: ${twice}`);
return problems;
