"use strict";
(function () {
  var root = document.documentElement, hover = document.getElementById("hover");

  document.getElementById("theme").addEventListener("click", function () {
    var dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  function show(mark, x, y) {
    hover.hidden = !mark;
    if (!mark) { return; }
    if (hover.textContent !== mark.dataset.tip) { hover.textContent = mark.dataset.tip; }
    var top = y + 18;
    if (top + hover.offsetHeight > innerHeight - 8) { top = y - hover.offsetHeight - 10; }
    hover.style.left = Math.max(8, Math.min(x + 14, innerWidth - hover.offsetWidth - 8)) + "px";
    hover.style.top = Math.max(8, top) + "px";
  }
  document.addEventListener("pointermove", function (event) {
    show(event.target.closest ? event.target.closest(".tip") : null, event.clientX, event.clientY);
  });

  // With the keyboard: focus a figure, arrows go from mark to mark.
  document.querySelectorAll(".plot svg").forEach(function (svg) {
    var marks = Array.from(svg.querySelectorAll(".tip")), at = -1;
    function go(to) {
      if (at >= 0) { marks[at].classList.remove("on"); }
      at = to;
      if (at < 0) { hover.hidden = true; return; }
      marks[at].classList.add("on");
      var box = marks[at].getBoundingClientRect();
      show(marks[at], box.left + box.width / 2, box.top + box.height / 2);
    }
    svg.addEventListener("keydown", function (event) {
      var step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") { go(-1); }
      if (!step || !marks.length) { return; }
      event.preventDefault();
      go((at + step + marks.length) % marks.length);
    });
    svg.addEventListener("blur", function () { go(-1); });
  });

  function save(name, type, text) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: type }));
    link.download = name;
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
  }
  function unpack(name) {
    var bytes = Uint8Array.from(atob(document.getElementById("data-" + name).textContent), function (c) { return c.charCodeAt(0); });
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }
  function tableText(table) {
    return Array.from(table.rows).filter(function (row) { return !row.hidden; }).map(function (row) {
      return Array.from(row.cells).map(function (cell) {
        var text = cell.dataset.key || (cell.firstElementChild && cell.tagName === "TH" ? cell.firstElementChild : cell.firstChild || cell).textContent;
        return '"' + text.replace(/"/g, '""') + '"';
      }).join(",");
    }).join("\n") + "\n";
  }
  document.querySelectorAll("[data-csv]").forEach(function (button) {
    button.addEventListener("click", function () {
      var name = button.dataset.csv, table = document.getElementById(name + "-table");
      if (table) { save(name + ".csv", "text/csv", tableText(table)); return; }
      unpack(name).then(function (text) { button.dataset.bytes = text.length; save(name + ".csv", "text/csv", text); });
    });
  });
  document.querySelectorAll("[data-svg]").forEach(function (button) {
    button.addEventListener("click", function () {
      var svg = document.querySelector("#" + button.dataset.svg + " .plot svg"), copy = svg.cloneNode(true), box = svg.viewBox.baseVal;
      copy.setAttribute("width", box.width);
      copy.setAttribute("height", box.height);
      var text = new XMLSerializer().serializeToString(copy);
      text = text.replace(/currentColor/g, "#23252b").replace(/var\(--grid\)/g, "#d7dade").replace(/var\(--back\)/g, "#ffffff");
      save(button.dataset.svg + ".svg", "image/svg+xml", text);
    });
  });

  document.querySelectorAll("input[data-for]").forEach(function (input) {
    var table = document.getElementById(input.dataset.for), count = input.closest(".tools").querySelector(".count");
    input.addEventListener("input", function () {
      var words = input.value.toLowerCase().split(/\s+/).filter(Boolean), left = 0;
      Array.from(table.tBodies[0].rows).forEach(function (row) {
        var text = row.textContent.toLowerCase();
        row.hidden = !words.every(function (word) { return text.indexOf(word) >= 0; });
        left += row.hidden ? 0 : 1;
      });
      count.textContent = words.length ? left + " of " + table.tBodies[0].rows.length + " rows" : "";
    });
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
  addEventListener("beforeprint", function () { document.querySelectorAll("details").forEach(function (one) { one.open = true; }); });
})();
