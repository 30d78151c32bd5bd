"use strict";
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const time of document.querySelectorAll("time")) {
  time.title = new Date(time.dateTime).toLocaleString() + " (" + zone + ")";
}
document.getElementById("zone").textContent = "; point at one to see it in your zone, " + zone;

const form = document.getElementById("filter");
if (form) {
  const find = document.getElementById("find");
  const state = document.getElementById("state");
  const rows = [...document.querySelectorAll("#files tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const filter = () => {
    const wanted = find.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, index) => {
      const fits = texts[index].includes(wanted) && (!state.value || row.dataset.state === state.value);
      row.hidden = !fits;
      shown += fits;
    });
    document.getElementById("count").textContent = shown + " of the " + rows.length + (rows.length === 1 ? " row" : " rows") + " listed here";
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  form.hidden = false;
  filter();
}
