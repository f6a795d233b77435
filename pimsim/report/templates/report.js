"use strict";
(function () {
  var root = document.documentElement, hover = document.getElementById("hover");
  document.getElementById("theme").addEventListener("click", function () {
    var dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  document.querySelectorAll(".tip").forEach(function (mark) {
    var title = mark.querySelector("title");
    mark.dataset.tip = title.textContent;
    mark.setAttribute("aria-label", title.textContent);
    title.remove();
  });
  document.addEventListener("pointermove", function (event) {
    var mark = event.target.closest ? event.target.closest(".tip") : null;
    hover.hidden = !mark;
    if (!mark) { return; }
    hover.textContent = mark.dataset.tip;
    var left = Math.min(event.clientX + 14, innerWidth - hover.offsetWidth - 8);
    var top = event.clientY + 18;
    if (top + hover.offsetHeight > innerHeight - 8) { top = event.clientY - hover.offsetHeight - 10; }
    hover.style.left = Math.max(8, left) + "px";
    hover.style.top = Math.max(8, top) + "px";
  });
  document.querySelectorAll("table.sortable").forEach(function (table) {
    var heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, index) {
      head.addEventListener("click", function () { sort(table, heads, head, index); });
    });
  });
  function sort(table, heads, head, index) {
    var body = table.tBodies[0], down = head.getAttribute("aria-sort") === "ascending";
    var rows = Array.from(body.rows).map(function (row) {
      var cell = row.cells[index], key = cell.dataset.key;
      return { row: row, key: key === undefined ? cell.textContent : Number(key), number: key !== undefined };
    });
    rows.sort(function (a, b) {
      if (a.number !== b.number) { return a.number ? -1 : 1; }
      var order = a.number ? a.key - b.key : a.key.localeCompare(b.key);
      return down ? -order : order;
    });
    rows.forEach(function (item) { body.appendChild(item.row); });
    heads.forEach(function (other) { other.setAttribute("aria-sort", "none"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
  }
})();
