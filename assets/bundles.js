/** What the pages about bundles do beyond HTML: how far a job or an upload is, without asking for the page again. */

const EVERY_MS = 1000;

/** Shows how far a job is until it is over; then the page has the rest to tell. */
async function follow(box) {
  const bar = box.querySelector('progress');
  const said = box.querySelector('[role=status]');
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    let job;
    try {
      const answer = await fetch(box.dataset.job, { credentials: 'same-origin', redirect: 'error' });
      if (answer.status === 404 || answer.status === 401 || answer.status === 403) return location.reload();
      job = await answer.json();
    } catch {
      said.textContent = 'The server does not answer; trying again…';
      continue;
    }
    if (job.state !== 'waiting' && job.state !== 'running') return location.reload();
    const { done = 0, total = 0 } = job.progress ?? {};
    if (total > 0) {
      bar.max = total;
      bar.value = Math.min(done, total);
    } else bar.removeAttribute('value');
    if (said.textContent !== job.shown) said.textContent = job.shown;
  }
}

const mebibytes = (bytes) => `${Math.floor(bytes / 2 ** 20).toLocaleString('en')} MiB`;

/** Sends the same form, and shows how much has gone. */
function send(form) {
  const box = form.querySelector('.progress');
  const bar = box.querySelector('progress');
  const said = box.querySelector('[role=status]');
  const button = form.querySelector('button');
  const request = new XMLHttpRequest();
  request.open('POST', form.action);
  request.upload.addEventListener('progress', ({ loaded, total }) => {
    bar.max = Math.max(total, 1);
    bar.value = loaded;
    const text = loaded < total ? `${mebibytes(loaded)} of ${mebibytes(total)} sent` : 'All of it is sent';
    if (said.textContent !== text) said.textContent = text;
  });
  request.addEventListener('load', () => {
    // It was led to the job's page; a refusal has a page of its own, which the form itself would have come to.
    if (request.status < 400 && request.responseURL !== '') location.assign(request.responseURL);
    else fail(refusal(request.responseText));
  });
  const fail = (text) => {
    said.textContent = text === '' ? 'It was not taken. Send it again.' : text;
    button.disabled = false;
  };
  request.addEventListener('error', () =>
    fail('The connection broke. What became of it stands under Bundles.'),
  );
  box.hidden = false;
  button.disabled = true;
  said.textContent = 'Sending…';
  request.send(new FormData(form));
}

/** The sentence of a page that says no. No HTML is made of it. */
function refusal(text) {
  const found = /id="problem"[^>]*>([^<]*)</.exec(text) ?? /<h1>[^<]*<\/h1><p>([^<]*)</.exec(text);
  const plain = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };
  return (found?.[1] ?? '').replace(/&(?:amp|lt|gt|quot|#39);/g, (each) => plain[each]);
}

for (const box of document.querySelectorAll('[data-job]')) void follow(box);
for (const form of document.querySelectorAll('[data-upload]'))
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send(form);
  });
