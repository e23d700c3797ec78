"use strict";
// Balls, rods and triangles in WebGL 2, orthographic, without any library.
window.OrderparamRenderer = (() => {
  const VIEW = `
    uniform mat3 turn; uniform vec3 middle; uniform vec3 scale;
    vec4 seen(vec3 v) { return vec4(v.xy * scale.xy, -v.z * scale.z, 1.0); }`;
  const LIGHT = `
    vec3 lit(vec3 colour, vec3 n) {
      vec3 lamp = normalize(vec3(-0.45, 0.65, 0.8));
      float bright = 0.6 + 0.45 * max(dot(n, lamp), 0.0);
      float shine = 0.28 * pow(max(dot(reflect(-lamp, n), vec3(0.0, 0.0, 1.0)), 0.0), 24.0);
      return min(colour * bright + shine, 1.0);
    }`;
  // balls and rods are squares that face the reader: one ball has two triangles, and every pixel its true normal
  const SHADERS = {
    balls: [`#version 300 es
      in vec2 corner; in vec3 place; in float radius; in vec3 tint;
      out vec2 from; out float size; out float depth; out vec3 colour;` + VIEW + `
      void main() {
        vec3 v = turn * (place - middle); from = 1.05 * corner; size = radius; depth = v.z; colour = tint;
        gl_Position = seen(v + vec3(radius * from, 0.0));
      }`, `#version 300 es
      precision highp float; uniform vec3 scale; in vec2 from; in float size; in float depth; in vec3 colour;
      out vec4 pixel;` + LIGHT + `
      void main() {
        float away = dot(from, from), edge = max(fwidth(away), 1e-4);
        float cover = clamp((1.0 - away) / edge + 0.5, 0.0, 1.0);
        if (cover <= 0.0) discard;
        vec3 n = vec3(from, sqrt(max(1.0 - away, 0.0)));
        gl_FragDepth = clamp(0.5 - 0.5 * scale.z * (depth + size * n.z), 0.0, 1.0);
        pixel = vec4(lit(colour, n), cover);
      }`],
    rods: [`#version 300 es
      in vec2 corner; in vec3 start; in vec3 end; in vec2 radii; in vec3 tint;
      out float across; out vec3 sideways; out vec3 front; out vec3 colour;` + VIEW + `
      void main() {
        vec3 a = turn * (start - middle), b = turn * (end - middle), along = b - a;
        float long_ = length(along.xy);
        vec2 side = long_ > 1e-5 ? vec2(-along.y, along.x) / long_ : vec2(1.0, 0.0);
        float t = 0.5 + 0.5 * corner.y;
        across = corner.x; sideways = vec3(side, 0.0); colour = tint;
        front = normalize(cross(vec3(side, 0.0), along + vec3(0.0, 0.0, 1e-6)));
        if (front.z < 0.0) front = -front;
        gl_Position = seen(mix(a, b, t) + vec3(mix(radii.x, radii.y, t) * corner.x * side, 0.0));
      }`, `#version 300 es
      precision highp float; in float across; in vec3 sideways; in vec3 front; in vec3 colour; out vec4 pixel;` + LIGHT + `
      void main() {
        pixel = vec4(lit(colour, across * sideways + sqrt(max(1.0 - across * across, 0.0)) * front), 1.0);
      }`],
    // triangles are flat: one colour each, found at its corners, so that pixels cost nothing
    triangles: [`#version 300 es
      in vec3 place; in vec3 normal; uniform vec4 tint; flat out vec4 colour;` + VIEW + LIGHT + `
      void main() {
        vec3 n = turn * normal; if (n.z < 0.0) n = -n;
        colour = vec4(lit(tint.rgb, n), tint.a); gl_Position = seen(turn * (place - middle));
      }`, `#version 300 es
      precision highp float; flat in vec4 colour; out vec4 pixel;
      void main() { pixel = colour; }`],
  };

  const rgb = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16) / 255);

  function software() {
    const gl = document.createElement("canvas").getContext("webgl2"), about = gl && gl.getExtension("WEBGL_debug_renderer_info");
    const name = about ? gl.getParameter(about.UNMASKED_RENDERER_WEBGL) : "";
    if (gl) gl.getExtension("WEBGL_lose_context")?.loseContext();
    return /swiftshader|llvmpipe|software/i.test(name);
  }

  function compile(gl, [vertex, fragment]) {
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    return program;
  }

  const SQUARE = new Float32Array([-1, -1, 1, -1, 1, 1, -1, -1, 1, 1, -1, 1]);

  const FIELDS = {
    balls: [["corner", 2], ["place", 3], ["radius", 1], ["tint", 3]],
    rods: [["corner", 2], ["start", 3], ["end", 3], ["radii", 2], ["tint", 3]],
    triangles: [["place", 3], ["normal", 3]],
  };

  // corners of triangles (x, y, z), each followed by the unit normal of its triangle
  function withNormals(data) {
    const out = new Float32Array(2 * data.length);
    for (let i = 0; i < data.length; i += 9) {
      const [ax, ay, az] = [data[i + 3] - data[i], data[i + 4] - data[i + 1], data[i + 5] - data[i + 2]];
      const [bx, by, bz] = [data[i + 6] - data[i], data[i + 7] - data[i + 1], data[i + 8] - data[i + 2]];
      const [x, y, z] = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], size = Math.hypot(x, y, z) || 1;
      for (let k = 0; k < 3; k++) {
        const at = 2 * (i + 3 * k);
        for (let c = 0; c < 3; c++) out[at + c] = data[i + 3 * k + c];
        out[at + 3] = x / size; out[at + 4] = y / size; out[at + 5] = z / size;
      }
    }
    return out;
  }

  class Renderer {
    // many things on a renderer without a graphics card: smooth edges would take most of the time
    constructor(canvas, many) {
      this.canvas = canvas;
      const antialias = !(many && software());
      const gl = this.gl = canvas.getContext("webgl2", { antialias, preserveDrawingBuffer: true, alpha: false });
      if (!gl) throw new Error("no WebGL 2");
      this.programs = Object.fromEntries(Object.entries(SHADERS).map(([name, source]) => [name, compile(gl, source)]));
      this.layers = [];
      this.turn = [1, 0, 0, 0, 1, 0, 0, 0, 1];
      this.zoom = 1;
      this.shift = [0, 0, 0];
      gl.enable(gl.DEPTH_TEST);
      gl.enable(gl.SAMPLE_ALPHA_TO_COVERAGE);
      gl.clearColor(1, 1, 1, 1);
    }

    // kind: balls (place 3, radius 1, tint 3), rods (start 3, end 3, radii 2, tint 3) or triangles (place 3)
    layer(kind, options = {}) {
      const made = { kind, buffer: this.gl.createBuffer(), count: 0, shown: true, tint: [0, 0, 0, 1], ...options };
      this.layers.push(made);
      return made;
    }

    // rows of numbers, one per ball or rod, become six corners each: software renderers are slow with instances
    fill(layer, data) {
      const gl = this.gl, size = layer.kind === "triangles" ? 3 : layer.kind === "balls" ? 7 : 11;
      let sent;
      if (layer.kind === "triangles") {
        sent = withNormals(data);
        layer.count = data.length / 3;
      } else {
        const n = data.length / size, width = size + 2;
        sent = new Float32Array(6 * n * width);
        for (let i = 0, at = 0; i < n; i++) for (let k = 0; k < 6; k++, at += width) {
          sent[at] = SQUARE[2 * k];
          sent[at + 1] = SQUARE[2 * k + 1];
          for (let c = 0; c < size; c++) sent[at + 2 + c] = data[i * size + c];
        }
        layer.count = 6 * n;
      }
      gl.bindBuffer(gl.ARRAY_BUFFER, layer.buffer);
      gl.bufferData(gl.ARRAY_BUFFER, sent, gl.DYNAMIC_DRAW);
    }

    frame(middle, radius) { this.middle = middle; this.radius = radius; }

    resize() {
      const ratio = Math.min(window.devicePixelRatio || 1, 2), { clientWidth, clientHeight } = this.canvas;
      const [width, height] = [Math.max(1, Math.round(clientWidth * ratio)), Math.max(1, Math.round(clientHeight * ratio))];
      if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    }

    scales() {
      const size = this.zoom / this.radius, aspect = this.canvas.width / this.canvas.height;
      return aspect > 1 ? [size / aspect, size, 0.2 / this.radius] : [size, size * aspect, 0.2 / this.radius];
    }

    // pixels (from the upper left, CSS) and depth of a point
    project(x, y, z) {
      const t = this.turn, [a, b, c] = [x - this.middle[0], y - this.middle[1], z - this.middle[2]], s = this.scales();
      const v = [0, 1, 2].map((i) => t[i] * a + t[3 + i] * b + t[6 + i] * c);
      return [(v[0] * s[0] + 1) / 2 * this.canvas.clientWidth, (1 - v[1] * s[1]) / 2 * this.canvas.clientHeight, v[2]];
    }

    pixels(length) { return length * this.scales()[1] / 2 * this.canvas.clientHeight; }

    draw() {
      const gl = this.gl;
      this.resize();
      gl.viewport(0, 0, this.canvas.width, this.canvas.height);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      for (const clear of [false, true]) {
        for (const layer of this.layers) if (layer.shown && layer.count && (layer.tint[3] < 1) === clear) {
          if (clear) { gl.disable(gl.SAMPLE_ALPHA_TO_COVERAGE); gl.enable(gl.BLEND); gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA); gl.depthMask(false); }
          this.paint(layer);
        }
      }
      gl.disable(gl.BLEND);
      gl.enable(gl.SAMPLE_ALPHA_TO_COVERAGE);
      gl.depthMask(true);
    }

    paint(layer) {
      const gl = this.gl, program = this.programs[layer.kind], used = [];
      gl.useProgram(program);
      gl.uniformMatrix3fv(gl.getUniformLocation(program, "turn"), false, this.turn);
      gl.uniform3fv(gl.getUniformLocation(program, "middle"), this.middle);
      gl.uniform3fv(gl.getUniformLocation(program, "scale"), this.scales());
      if (layer.kind === "triangles") gl.uniform4fv(gl.getUniformLocation(program, "tint"), layer.tint);
      gl.bindBuffer(gl.ARRAY_BUFFER, layer.buffer);
      const fields = FIELDS[layer.kind], stride = 4 * fields.reduce((sum, [, n]) => sum + n, 0);
      let offset = 0;
      for (const [name, n] of fields) {
        const place = gl.getAttribLocation(program, name);
        if (place >= 0) {
          gl.enableVertexAttribArray(place);
          gl.vertexAttribPointer(place, n, gl.FLOAT, false, stride, offset);
          used.push(place);
        }
        offset += 4 * n;
      }
      gl.drawArrays(gl.TRIANGLES, 0, layer.count);
      for (const place of used) gl.disableVertexAttribArray(place);
    }

    // turn about the axes of the screen (radians)
    rotate(about_y, about_x) {
      const [cy, sy, cx, sx] = [Math.cos(about_y), Math.sin(about_y), Math.cos(about_x), Math.sin(about_x)];
      const m = [[cy, 0, sy], [sx * sy, cx, -sx * cy], [-cx * sy, sx, cx * cy]], t = this.turn, out = new Array(9);
      for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++)
        out[3 * j + i] = m[i][0] * t[3 * j] + m[i][1] * t[3 * j + 1] + m[i][2] * t[3 * j + 2];
      this.turn = out;
    }
  }

  return { Renderer, rgb };
})();
