// Whatever stands for the same member is marked on both sides, and in the table, while one of them is pointed at or has
// the focus.

const places = [...document.querySelectorAll("[data-lines]")].map((element) => ({
  element,
  lines: new Set(element.dataset.lines.split(" ")),
}));
let shown = null;

/** Moves a document within its own box, so that the place is seen; the page itself stays where it is. */
function reveal(element) {
  const box = element.closest(".code");
  if (!box) {
    return;
  }
  const inner = element.getBoundingClientRect();
  const outer = box.getBoundingClientRect();
  if (inner.top < outer.top || inner.bottom > outer.bottom) {
    box.scrollTop += inner.top - outer.top - outer.height / 2;
  }
}

function mark(target) {
  if (target === shown) {
    return;
  }
  shown = target;
  const lines = target ? target.dataset.lines.split(" ") : [];
  const seen = new Set();
  for (const { element, lines: own } of places) {
    const marked = lines.some((line) => own.has(line));
    element.classList.toggle("marked", marked);
    const box = element.closest(".code");
    if (marked && element !== target && box && box !== target.closest(".code") && !seen.has(box)) {
      seen.add(box);
      reveal(element);
    }
  }
}

const at = (event) => event.target.closest?.("[data-lines]") ?? null;
document.addEventListener("mouseover", (event) => mark(at(event) ?? at({ target: document.activeElement })));
document.addEventListener("focusin", (event) => mark(at(event)));

// With scripts the links mark what they lead to: the page needs no jump.
for (const { element } of places) {
  if (element.matches("a.member")) {
    element.addEventListener("click", (event) => {
      event.preventDefault();
      mark(element);
    });
  }
}
