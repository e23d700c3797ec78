"use strict";
// A structure that its reader distorts: anchors stand at (place + sum of fields) (1 + sum of strains).
window.OrderparamViewer = (() => {
  const { Renderer, rgb } = window.OrderparamRenderer;
  const kinds = { f4: Float32Array, i4: Int32Array, u2: Uint16Array, u4: Uint32Array };
  const unit = (v) => { const n = Math.hypot(...v); return v.map((x) => x / n); };
  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

  // a view from the front of a cell, its longest edge upright; columns of the rotation one after the other
  function view(cell) {
    const sizes = cell.map((row) => Math.hypot(...row)), up = sizes.reduce((best, s, i) => (s > sizes[best] - 1e-3 ? i : best), 0);
    const [one, two, three] = [1, 2, 3].map((k) => unit(cell[(up + k) % 3]));
    const eye = unit([0, 1, 2].map((c) => one[c] + 0.42 * two[c] + 0.32 * three[c]));
    const right = unit(cross(three, eye)), above = cross(eye, right);
    return [0, 1, 2].flatMap((c) => [right[c], above[c], eye[c]]);
  }

  function numbers(array) {
    if (!array || !array.bdata) return array;
    const text = atob(array.bdata), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new kinds[array.dtype](bytes.buffer);
  }

  // the twelve edges of a cell, as pairs of corners
  const EDGES = [];
  for (let i = 0; i < 8; i++) for (const bit of [1, 2, 4]) if (!(i & bit)) EDGES.push([i, i | bit]);

  class Viewer {
    constructor(root, scene) {
      this.root = root;
      this.scene = scene;
      for (const name of ["places", "atoms", "kind", "bonds"]) scene[name] = numbers(scene[name]);
      for (const part of [...scene.parts, ...scene.states]) part.field = numbers(part.field);
      for (const group of scene.faces) group.triangles = numbers(group.triangles);
      for (const glyph of scene.glyphs) for (const name of ["anchors", "offsets", "triangles"]) glyph[name] = numbers(glyph[name]);
      this.weights = scene.parts.map(() => 1);
      this.path = scene.path;
      this.scale = scene.scale;
      this.state = this.home_state = scene.parts.length || !scene.states.length ? -1 : scene.state;
      this.canvas = root.querySelector("canvas");
      this.tip = root.querySelector(".tip");
      this.paper = root.querySelector(".paper");
      this.names = [...root.querySelectorAll(".axis")];
      this.frames = 0;
      this.waiting = this.playing = false;
      this.renderer = new Renderer(this.canvas, scene.atoms.length > 250);
      this.layers();
      this.home();
      this.pointer();
      this.controls();
      new ResizeObserver(() => this.redraw()).observe(this.canvas);
      this.update();
    }

    layers() {
      const make = (kind, options) => this.renderer.layer(kind, options), scene = this.scene;
      this.atoms = make("balls");
      this.bonds = make("rods", { role: "bonds" });
      this.cell = make("rods", { role: "cell" });
      this.old = make("rods", { role: "fixed" });
      this.arrows = make("rods", { role: "arrows" });
      this.faces = scene.faces.map((f) => make("triangles", { role: "polyhedra", tint: [...rgb(f.colour), 0.42] }));
      this.glyphs = scene.glyphs.map((g) => make("triangles", { role: "input", input: g.name, tint: [...rgb(g.colour), 1] }));
      for (const layer of this.renderer.layers) layer.shown = !scene.hidden.includes(layer.role);
    }

    home() {
      const { cell, origin, places } = this.scene;
      const middle = [0, 1, 2].map((c) => origin[c] + (cell[0][c] + cell[1][c] + cell[2][c]) / 2);
      let radius = 1;
      for (let i = 0; i < places.length; i += 3)
        radius = Math.max(radius, Math.hypot(places[i] - middle[0], places[i + 1] - middle[1], places[i + 2] - middle[2]));
      this.renderer.frame(middle, radius + 1);
      this.renderer.turn = view(cell);
      this.renderer.zoom = 1.12;
      this.redraw();
    }

    // what is shown, in words: on paper there are no sliders to read it from
    told() {
      const { parts, states } = this.scene, size = (i) => this.path * this.weights[i] * parts[i].amplitude;
      const value = (i) => parts[i].kind === "strain" ? `${(100 * size(i)).toFixed(2)} %` : `${size(i).toFixed(3)} Å`;
      const sum = parts.map((part, i) => `${part.label} ${value(i)}`).join(", ");
      const what = this.state < 0 ? `Shown (As): ${sum || "the parent"}.`
        : `Shown: ${states[this.state].label}, ${Math.round(100 * this.path)} % of the way from the parent.`;
      return `${what} Arrows: displacements from the parent, × ${this.scale}. Black: the cell; grey: the parent's.`;
    }

    // displacements of the atoms and strain of what is chosen, times a factor
    composed(factor) {
      const field = new Float64Array(3 * this.scene.n_atoms), strain = new Float64Array(9);
      const add = (part, weight) => {
        if (part.field) for (let i = 0; i < field.length; i++) field[i] += weight * part.field[i];
        if (part.strain) for (let i = 0; i < 9; i++) strain[i] += weight * part.strain[i];
      };
      if (this.state >= 0) add(this.scene.states[this.state], factor);
      else this.scene.parts.forEach((part, i) => add(part, factor * this.weights[i]));
      return { field, strain };
    }

    stretched(x, y, z, s) {
      return [x + x * s[0] + y * s[3] + z * s[6], y + x * s[1] + y * s[4] + z * s[7], z + x * s[2] + y * s[5] + z * s[8]];
    }

    anchored({ field, strain }) {
      const { places, atoms } = this.scene, out = new Float64Array(places.length);
      for (let a = 0; a < atoms.length; a++) {
        const at = 3 * a, of = 3 * atoms[a];
        out.set(this.stretched(places[at] + field[of], places[at + 1] + field[of + 1], places[at + 2] + field[of + 2], strain), at);
      }
      return out;
    }

    update() {
      const now = this.composed(this.path), at = this.now = this.anchored(now), { scene, renderer } = this;
      const point = (a) => [at[3 * a], at[3 * a + 1], at[3 * a + 2]];
      const balls = new Float32Array(7 * scene.atoms.length);
      scene.atoms.forEach((atom, a) => {
        const kind = scene.kinds[scene.kind[atom]];
        balls.set([...point(a), kind.radius, ...(kind.rgb ||= rgb(kind.colour))], 7 * a);
      });
      renderer.fill(this.atoms, balls);
      const bonds = new Float32Array(11 * scene.bonds.length / 2);
      for (let b = 0; b < scene.bonds.length / 2; b++)
        bonds.set([...point(scene.bonds[2 * b]), ...point(scene.bonds[2 * b + 1]), 0.07, 0.07, 0.6, 0.6, 0.6], 11 * b);
      renderer.fill(this.bonds, bonds);
      renderer.fill(this.cell, this.edges(scene.cell, scene.origin, now.strain, 0.035, 0.1));
      renderer.fill(this.old, this.edges(scene.parent_cell, scene.parent_origin, new Float64Array(9), 0.03, 0.65));
      this.pointers();
      scene.faces.forEach(({ triangles }, i) => {
        const out = new Float32Array(3 * triangles.length);
        triangles.forEach((a, v) => out.set(point(a), 3 * v));
        renderer.fill(this.faces[i], out);
      });
      scene.glyphs.forEach(({ anchors, offsets, triangles }, i) => {
        const out = new Float32Array(3 * triangles.length);
        triangles.forEach((v, n) => { for (let c = 0; c < 3; c++) out[3 * n + c] = at[3 * anchors[v] + c] + offsets[3 * v + c]; });
        renderer.fill(this.glyphs[i], out);
      });
      if (this.paper) this.paper.textContent = this.told();
      this.redraw();
    }

    edges(cell, origin, strain, radius, grey) {
      const corner = (k) => this.stretched(...[0, 1, 2].map((c) =>
        origin[c] + (k & 1) * cell[0][c] + (k >> 1 & 1) * cell[1][c] + (k >> 2) * cell[2][c]), strain);
      return new Float32Array(EDGES.flatMap(([i, j]) => [...corner(i), ...corner(j), radius, radius, grey, grey, grey]));
    }

    // arrows from the parent's places along the composed displacements
    pointers() {
      const { places, atoms } = this.scene, { field } = this.composed(1), out = [], tint = [0, 0.447, 0.698];
      for (let a = 0; a < atoms.length; a++) {
        const step = [0, 1, 2].map((c) => this.scale * field[3 * atoms[a] + c]), length = Math.hypot(...step);
        if (length < 1e-3 * this.scale) continue;
        const from = [0, 1, 2].map((c) => places[3 * a + c]), head = Math.min(0.38, 0.6 * length) / length;
        const neck = from.map((x, c) => x + (1 - head) * step[c]), tip = from.map((x, c) => x + step[c]);
        out.push(...from, ...neck, 0.06, 0.06, ...tint, ...neck, ...tip, 0.17, 0, ...tint);
      }
      this.renderer.fill(this.arrows, new Float32Array(out));
    }

    redraw() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        this.renderer.draw();
        this.label();
        this.frames++;
      });
    }

    // names of the axes at the ends of the drawn cell's edges
    label() {
      const { cell, origin } = this.scene, { strain } = this.composed(this.path);
      this.names.forEach((name, i) => {
        const end = this.stretched(...[0, 1, 2].map((c) => origin[c] + 1.06 * cell[i][c]), strain);
        const [x, y] = this.renderer.project(...end);
        name.style.transform = `translate(${x - 5}px, ${y - 10}px)`;
      });
    }

    // the atom under a point of the canvas, or -1
    under(x, y) {
      let best = -1, front = -Infinity;
      for (let a = 0; a < this.scene.atoms.length; a++) {
        const [px, py, depth] = this.renderer.project(this.now[3 * a], this.now[3 * a + 1], this.now[3 * a + 2]);
        const size = this.renderer.pixels(this.scene.kinds[this.scene.kind[this.scene.atoms[a]]].radius);
        if (Math.hypot(px - x, py - y) <= Math.max(size, 4) && depth > front) { best = a; front = depth; }
      }
      return best;
    }

    pointer() {
      let last = null;
      const canvas = this.canvas;
      canvas.addEventListener("pointerdown", (event) => { last = [event.clientX, event.clientY]; canvas.setPointerCapture(event.pointerId); });
      canvas.addEventListener("pointerup", () => { last = null; });
      canvas.addEventListener("pointermove", (event) => {
        if (last) {
          this.renderer.rotate((event.clientX - last[0]) / 150, (event.clientY - last[1]) / 150);
          last = [event.clientX, event.clientY];
          this.redraw();
        }
        const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
        const found = last ? -1 : this.under(x, y);
        this.tip.hidden = found < 0;
        if (found >= 0) {
          this.tip.textContent = this.scene.texts[this.scene.atoms[found]];
          this.tip.style.transform = `translate(${x + 12}px, ${y + 12}px)`;
        }
      });
      canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
      canvas.addEventListener("wheel", (event) => { event.preventDefault(); this.renderer.zoom *= Math.exp(-event.deltaY / 800); this.redraw(); }, { passive: false });
      canvas.addEventListener("dblclick", () => this.home());
      canvas.addEventListener("keydown", (event) => {
        const steps = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
        if (steps[event.key]) this.renderer.rotate(...steps[event.key]);
        else if (event.key === "+" || event.key === "-") this.renderer.zoom *= event.key === "+" ? 1.1 : 1 / 1.1;
        else return;
        event.preventDefault();
        this.redraw();
      });
    }

    choose(state) {
      this.state = state;
      const list = this.root.querySelector("select[data-states]");
      if (list) list.value = String(state);
      for (const slider of this.root.querySelectorAll("input[data-part]")) slider.disabled = state >= 0;
      document.querySelectorAll("tr[data-state]").forEach((row) => row.classList.toggle("chosen", Number(row.dataset.state) === state));
      this.update();
    }

    setPath(value) {
      this.path = value;
      const slider = this.root.querySelector("input[data-path]");
      if (slider) { slider.value = value; this.root.querySelector("output[data-path]").textContent = `${Math.round(100 * value)} %`; }
      this.update();
    }

    controls() {
      const on = (query, name, act) => this.root.querySelectorAll(query).forEach((node) => node.addEventListener(name, () => act(node)));
      const output = (query) => this.root.querySelector(query);
      const tell = (i) => {
        const part = this.scene.parts[i], size = this.weights[i] * part.amplitude;
        output(`output[data-part="${i}"]`).textContent = part.kind === "strain" ? `${(100 * size).toFixed(2)} %` : `${size.toFixed(3)} Å`;
      };
      const weigh = (slider, value) => { const i = Number(slider.dataset.part); this.weights[i] = value; slider.value = value; tell(i); };
      on("input[data-path]", "input", (slider) => { this.playing = false; this.setPath(Number(slider.value)); });
      on("input[data-part]", "input", (slider) => { weigh(slider, Number(slider.value)); this.update(); });
      on("input[data-scale]", "input", (slider) => { this.scale = Number(slider.value); output("output[data-scale]").textContent = `× ${this.scale}`; this.update(); });
      on("input[data-role]", "change", (box) => {
        for (const layer of this.renderer.layers)
          if (layer.role === box.dataset.role && (!layer.input || layer.input === box.dataset.input)) layer.shown = box.checked;
        this.redraw();
      });
      on("select[data-states]", "change", (list) => this.choose(Number(list.value)));
      on("button[data-parent]", "click", () => { this.playing = false; this.setPath(0); });
      on("button[data-child]", "click", () => { this.playing = false; this.setPath(1); });
      on("button[data-reset]", "click", () => {
        this.root.querySelectorAll("input[data-part]").forEach((slider) => weigh(slider, 1));
        this.playing = false;
        this.choose(this.home_state);
        this.setPath(1);
        this.home();
      });
      on("button[data-play]", "click", (button) => { this.playing = !this.playing; if (this.playing) this.play(button); });
      on("button[data-save]", "click", () => {
        const link = document.createElement("a");
        link.download = "structure.png";
        link.href = this.canvas.toDataURL("image/png");
        link.click();
      });
      this.scene.parts.forEach((_, i) => { if (output(`output[data-part="${i}"]`)) tell(i); });
    }

    play(button) {
      const begun = performance.now() - (this.path >= 1 ? 0 : 2000 * this.path);
      button.textContent = "Pause";
      const step = (time) => {
        if (!this.playing) { button.textContent = "Play"; return; }
        const phase = Math.max(0, (time - begun) / 2000) % 2;
        this.setPath(phase < 1 ? phase : 2 - phase);
        requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    }
  }

  return { Viewer };
})();
