// What every page gains with scripts: a filter acts at once, and a button that was pressed is not pressed twice.

// Where the navigation is wider than the window, its current part is in it.
document.querySelector(".sections [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

for (const form of document.querySelectorAll("form[data-live]")) {
  for (const field of form.querySelectorAll("select, input[type=date]")) {
    field.addEventListener("change", () => {
      // A year that is being typed is 0002, 0020 and 0202 on its way to 2026.
      const isTyped = field.type === "date" && field.value !== "" && field.value < "2000";
      if (!isTyped) {
        form.requestSubmit();
      }
    });
  }
}

for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
  });
}
// A page that comes back from the browser's memory may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
  }
});
