// A line under the pointer that says its moment. The page is whole without it.
"use strict";
for (const picture of document.querySelectorAll("svg.timeline[data-left]")) {
  const number = (name) => Number(picture.dataset[name]);
  const make = (name, style) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    made.setAttribute("class", style);
    made.setAttribute("visibility", "hidden");
    picture.append(made);
    return made;
  };
  const line = make("line", "pointer");
  const label = make("text", "pointer-label");
  const show = (how) => [line, label].forEach((each) => each.setAttribute("visibility", how));
  picture.addEventListener("pointerleave", () => show("hidden"));
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const size = picture.viewBox.baseVal;
    const x = ((event.clientX - box.left) / box.width) * size.width;
    const share = (x - number("left")) / (number("right") - number("left"));
    if (share < 0 || share > 1) return show("hidden");
    const seconds = number("start") + share * (number("end") - number("start"));
    for (const end of ["x1", "x2"]) line.setAttribute(end, x);
    line.setAttribute("y1", 0);
    line.setAttribute("y2", size.height - 40);
    label.textContent = `${seconds.toFixed(Math.abs(seconds) < 10 ? 1 : 0)} s`;
    label.setAttribute("x", share < 0.5 ? x + 5 : x - 5);
    label.setAttribute("text-anchor", share < 0.5 ? "start" : "end");
    label.setAttribute("y", size.height - 30);
    show("visible");
  });
}
