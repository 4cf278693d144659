// What is on the pad, kept for another visit of this tab: strokes as they were drawn, and the picture below them with its file, so
// that the answer is the same to its last digit.

// A tab may keep some 5 MiB of text. What lies on a larger picture is not kept, as without it it would be another drawing.
const LARGEST = 3 * 2 ** 20;
const NAME = "drawing";

// The file that was read last, as text.
let latest = { file: null, text: "" };

export function keepFile(file) {
  if (file.size > LARGEST) return;
  const reader = new FileReader();
  reader.onload = () => (latest = { file, text: reader.result });
  reader.readAsDataURL(file);
}

export function forget() {
  try {
    sessionStorage.removeItem(NAME);
  } catch (error) {
    return;
  }
}

export function keep(pad, asked) {
  const picture = pad.picture();
  forget();
  if (picture && picture.file !== latest.file) return;
  try {
    const below = picture && { image: picture.image.toDataURL("image/png"), file: latest.text };
    sessionStorage.setItem(NAME, JSON.stringify({ strokes: pad.strokes(), picture: below, ...asked }));
  } catch (error) {
    return;
  }
}

function blobOf(url) {
  const [head, data] = url.split(",");
  return new Blob([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], { type: head.slice(5).split(";")[0] });
}

export async function kept() {
  const found = JSON.parse(sessionStorage.getItem(NAME) || "{}");
  if (!found.picture) return { ...found, picture: null };
  const file = blobOf(found.picture.file);
  latest = { file, text: found.picture.file };
  return { ...found, picture: { file, image: await createImageBitmap(blobOf(found.picture.image)) } };
}
