"use strict";
(() => {
  const form = document.getElementById("filters");
  const count = document.getElementById("count");
  const cases = [...document.querySelectorAll("details.case")];
  const texts = new WeakMap();
  const text = (element) => {
    if (!texts.has(element)) texts.set(element, element.textContent.toLowerCase());
    return texts.get(element);
  };
  const holds = (element, wanted) =>
    (!wanted.family || element.dataset.family === wanted.family) &&
    (!wanted.scenario || element.dataset.scenario === wanted.scenario) &&
    (!wanted.outcome ||
      (wanted.outcome === "flipped" ? "flipped" in element.dataset : element.dataset.outcome === wanted.outcome)) &&
    wanted.words.every((word) => text(element).includes(word));
  const apply = () => {
    const wanted = Object.fromEntries(new FormData(form));
    wanted.words = wanted.search.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const element of cases) {
      element.hidden = !holds(element, wanted);
      shown += element.hidden ? 0 : 1;
    }
    count.textContent = `${shown} of ${cases.length} cases`;
  };
  const all = count.textContent;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => { count.textContent = all; });
  form.hidden = false;
})();
