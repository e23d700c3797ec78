"use strict";
// Draws the charts of a page with plotly, starts its viewers, and lets graph and tables choose their structures.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const options = { responsive: true, displaylogo: false, toImageButtonOptions: { format: "svg" },
    modeBarButtonsToRemove: ["resetCameraLastSave3d", "hoverClosest3d", "lasso2d", "select2d"] };
  // paper shows what a canvas holds after it was drawn; plotly's own canvases would be empty by then
  const context = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, wanted) {
    return context.call(this, kind, /^webgl/.test(kind) ? { ...wanted, preserveDrawingBuffer: true } : wanted);
  };
  const viewers = [];
  document.querySelectorAll(".viewer").forEach((root) => {
    try {
      viewers.push(new window.OrderparamViewer.Viewer(root, read(root.dataset.scene)));
    } catch (problem) {
      root.querySelector(".failed").hidden = false;
      root.querySelector(".failed").textContent =
        `This browser cannot draw the structure (${problem.message}); the table below has its atoms.`;
    }
  });
  const choose = (state) => {
    if (viewers.length && viewers[0].scene.states.length > state) viewers[0].choose(state);
  };
  const draw = (box) => {
    const figure = read(box.dataset.figure);
    if (!figure.layout.width) figure.layout.autosize = true;
    return Plotly.newPlot(box, figure.data, figure.layout, options).then(() => {
      if (box.dataset.graph !== undefined) box.on("plotly_click", (event) => {
        const found = event.points.find((point) => point.customdata);
        if (found) choose(Number(found.customdata[0]));
      });
    });
  };
  const drawn = Promise.all(Array.from(document.querySelectorAll(".plot[data-figure]"), draw));
  document.querySelectorAll("tr[data-state] button").forEach((button) =>
    button.addEventListener("click", () => choose(Number(button.closest("tr").dataset.state))));
  window.orderparam = { viewers, drawn };
})();
