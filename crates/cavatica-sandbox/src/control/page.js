"use strict";
const at = (id) => document.getElementById(id);

// Names come from files and requests: they are set as text, never as markup.
function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function table(id, heads, rows, nothing) {
  const body = [];
  if (rows.length) {
    const head = document.createElement("tr");
    head.append(...heads.map((text) => element("th", text)));
    body.push(head);
  } else {
    rows = [[nothing]];
  }
  for (const cells of rows) {
    const row = document.createElement("tr");
    row.append(...cells.map((cell) =>
      Array.isArray(cell) ? element("td", cell[0], cell[1]) : element("td", cell)));
    body.push(row);
  }
  at(id).replaceChildren(...body);
}

const bytes = (count) => {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) { count /= 1024; unit += 1; }
  return `${unit ? count.toFixed(1) : count} ${units[unit]}`;
};

function show(world) {
  const stray = Object.values(world.stray_tokens).reduce((sum, count) => sum + count, 0);
  const tiles = [
    ["accepted", Object.values(world.states).reduce((sum, count) => sum + count, 0)],
    ...["PENDING", "RUNNING", "COMPLETED", "FAILED"].map((state) =>
      [state.toLowerCase(), world.states[state], world.states[state] ? state : ""]),
    ["overwritten", world.objects_overwritten, world.objects_overwritten ? "bad" : ""],
    ["over the limit", world.over_limit, world.over_limit ? "bad" : ""],
    ["stray tokens", stray, stray ? "bad" : ""],
  ];
  at("tiles").replaceChildren(...tiles.map(([name, count, className]) => {
    const tile = element("div", "", "tile");
    tile.append(element("b", count, className), name);
    return tile;
  }));

  at("limits").replaceChildren(...world.accounts.flatMap((account) => {
    const used = account.limit - account.remaining;
    const meter = element("meter", "");
    meter.setAttribute("aria-label", `requests used by ${account.username}`);
    meter.max = account.limit;
    meter.value = used;
    const text = `${account.username}: ${used} of ${account.limit}, again from zero in ${account.resets_in_seconds} s`;
    return [meter, element("p", text, "quiet")];
  }));

  table("jobs", ["file", "to", "location", "mode", "state"], world.jobs.map((job) => [
    [job.file, "long"], job.volume, [job.location, "long"], job.mode,
    [job.code ? `${job.state} ${job.code}` : job.state, job.state],
  ]), "No exports yet.");
  table("volumes", ["volume", "service", "access", "prefix", "objects"], world.volumes.map((volume) => [
    volume.id, volume.service, volume.active ? volume.access_mode : "inactive", volume.prefix, volume.objects,
  ]), "No volumes.");
  table("projects", ["project", "files", "aliases", "size"], world.projects.map((project) => [
    project.id, project.files, project.aliases, bytes(project.bytes),
  ]), "No projects.");
  table("requests", ["call", "times"], [
    ...Object.entries(world.requests),
    ...(world.requests_elsewhere ? [["elsewhere", world.requests_elsewhere]] : []),
    ...Object.entries(world.answers).map(([status, count]) => [`answered with ${status}`, count]),
  ], "No requests yet.");
  table("faults", ["rule", "asked", "struck"], world.faults.map((fault) => [
    [JSON.stringify(fault.rule), "long"], fault.seen, fault.hits,
  ]), "No rules.");
}

async function poll() {
  try {
    // Behind the #, where no server and no log sees it.
    const token = location.hash.slice(1);
    const answer = await fetch("/_sandbox/state", { headers: { "X-SBG-Auth-Token": token } });
    if (answer.ok) {
      show(await answer.json());
      at("note").textContent = "What the platform would hold, live.";
    } else {
      at("note").textContent = "The address needs the token: http://…/#TOKEN, as the sandbox prints it.";
    }
  } catch {
    at("note").textContent = "The sandbox doesn't answer any more.";
  }
  setTimeout(poll, 1000);
}
poll();
