/* A spec that can be read and copied. */

function specBlock(label, text, open = false) {
  return make("details", { open }, make("summary", {}, label), copyable(text, colouredYaml(text)));
}

function copyable(text, shownAs) {
  const copy = make("button", { type: "button", onclick: () => copyText(text, copy) }, "copy");
  return [make("p", {}, copy), make("div", { class: "scroll" }, make("pre", {}, shownAs || text))];
}

function colouredYaml(text) {
  return text.split("\n").flatMap((line) => {
    const found = /^(\s*(?:- )?)([\w"./-]+)(:.*)$/.exec(line);
    return found ? [found[1], make("span", { class: "name" }, found[2]), found[3] + "\n"] : [line + "\n"];
  });
}

function copyText(text, button) {
  const area = make("textarea", { style: "position: fixed; opacity: 0" });
  area.value = text;
  document.body.append(area);
  area.select();
  button.textContent = document.execCommand("copy") ? "copied" : "select it by hand";
  area.remove();
}
